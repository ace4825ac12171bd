#include "common/suggest.h"

enum { FAR = SUGGEST_DISTANCE + 1 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

int suggest_distance(struct view a, struct view b)
{
    int rows[3][SUGGEST_LENGTH + 1]; // the row before last, the last, the present one
    if (a.len > SUGGEST_LENGTH || b.len > SUGGEST_LENGTH) {
        return FAR;
    }
    for (size_t j = 0; j <= b.len; j++) {
        rows[0][j] = (int)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        int *now = rows[i % 3];
        const int *last = rows[(i + 2) % 3];
        const int *before = rows[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int replaced = last[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            now[j] = least(replaced, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1]) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
    }
    return least(rows[a.len % 3][b.len], FAR);
}

void suggest_offer(struct suggestion *suggestion, const char *name)
{
    int distance = suggest_distance(suggestion->word, view_of(name));
    bool is_near = distance <= SUGGEST_DISTANCE && (size_t)distance < strlen(name) &&
                   (size_t)distance < suggestion->word.len;
    if (is_near && (!suggestion->best || distance < suggestion->distance)) {
        suggestion->best = name;
        suggestion->distance = distance;
    }
}
