#include "services/entities/clusters.h"
#include "services/entities/lexicon.h"
#include "services/entities/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FEATURES = 1000 };

struct folder {
    char path[64];
    char file[128];
};

static struct folder make_folder(const char *name)
{
    struct folder folder = {"/tmp/copydesk-test-XXXXXX", ""};
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.file, sizeof folder.file, "%s/%s", folder.path, name);
    return folder;
}

static void drop_folder(const struct folder *folder)
{
    unlink(folder->file);
    rmdir(folder->path);
}

static void write_weights(const char *path)
{
    uint64_t features[FEATURES];
    float values[FEATURES * LABEL_COUNT];
    for (size_t i = 0; i < FEATURES; i++) {
        features[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        for (size_t label = 0; label < LABEL_COUNT; label++) {
            values[i * LABEL_COUNT + label] = (float)((i + label) % 10) / 5 - 0.9F;
        }
    }
    assert_int_equal(weights_write(path, features, values, FEATURES, NULL), OK);
}

static void weights_come_back_within_half_a_step(void **state)
{
    (void)state;
    struct folder folder = make_folder("entities.model");
    struct weights weights;
    write_weights(folder.file);
    assert_int_equal(weights_open(&weights, folder.path, NULL), OK);
    for (size_t i = 0; i < FEATURES; i++) {
        const struct weights_slot *slot =
            weights_find(&weights, (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        assert_non_null(slot);
        float value = (float)slot->value[3] * weights.scale;
        assert_float_equal(value, (float)((i + 3) % 10) / 5 - 0.9F, weights.scale * 0.51F);
    }
    assert_null(weights_find(&weights, 12345));
    weights_close(&weights);
    drop_folder(&folder);
}

static void a_damaged_or_foreign_model_is_refused_with_its_path(void **state)
{
    (void)state;
    struct folder folder = make_folder("entities.model");
    struct weights weights;
    struct error why = {""};
    write_weights(folder.file);
    FILE *file = fopen(folder.file, "r+b");
    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    fputc('!', file);
    fclose(file);
    assert_int_equal(weights_open(&weights, folder.path, &why), ERR_FORMAT);
    assert_non_null(strstr(why.text, folder.file));
    assert_int_equal(truncate(folder.file, 10), 0);
    assert_int_equal(weights_open(&weights, folder.path, &why), ERR_FORMAT);
    unlink(folder.file);
    assert_int_equal(weights_open(&weights, folder.path, &why), ERR_CONFIG);
    rmdir(folder.path);
}

static void word_classes_come_back_grain_by_grain(void **state)
{
    (void)state;
    struct folder folder = make_folder("entities-clusters.model");
    struct clusters clusters;
    struct view source = VIEW("# word\tids\nthe\t55\t163\t806\t507\t4086\nkumasi\t0\t0\t0\t0\t0\n"
                              "nairobi\t63\t255\t1023\t4095\t11999\n");
    assert_int_equal(clusters_write(folder.file, source, SIZE_MAX, NULL), OK);
    assert_int_equal(clusters_open(&clusters, folder.path, NULL), OK);
    uint64_t the = clusters_find(&clusters, lexicon_fold(VIEW("The")));
    uint64_t kumasi = clusters_find(&clusters, lexicon_fold(VIEW("KUMASI")));
    uint64_t nairobi = clusters_find(&clusters, lexicon_fold(VIEW("Nairobi")));
    assert_int_equal(clusters_id(the, 0), 55);
    assert_int_equal(clusters_id(the, 4), 4086);
    assert_int_not_equal(kumasi, 0);
    assert_int_equal(clusters_id(kumasi, 2), 0);
    assert_int_equal(clusters_id(nairobi, 1), 255);
    assert_int_equal(clusters_id(nairobi, 3), 4095);
    assert_int_equal(clusters_id(nairobi, 4), 11999);
    assert_int_equal(clusters_find(&clusters, lexicon_fold(VIEW("unknown"))), 0);
    clusters_close(&clusters);
    drop_folder(&folder);
}

static uint64_t phrase(const char *const *words, size_t count)
{
    uint64_t joined = LEXICON_EMPTY;
    for (size_t i = 0; i < count; i++) {
        joined = lexicon_join(joined, lexicon_fold(view_of(words[i])));
    }
    return joined;
}

static void lists_are_found_without_case_and_word_by_word(void **state)
{
    (void)state;
    static const char *const new_york[] = {"NEW", "York"};
    static const char *const us[] = {"US"};
    static const char *const united_states[] = {"United", "States"};
    struct lexicon *lexicon = NULL;
    assert_int_equal(lexicon_open(&lexicon, DATA_FOLDER, NULL), OK);
    assert_true(lexicon_phrase(lexicon, phrase(new_york, 2)) & lexicon_bit(LIST_CITIES));
    assert_true(lexicon_word(lexicon, lexicon_fold(VIEW("Minister"))) & lexicon_bit(LIST_TITLES));
    assert_int_equal(lexicon_word(lexicon, lexicon_fold(VIEW("qwertzuiop"))), 0);
    assert_int_equal(lexicon_alias(lexicon, phrase(us, 1)), phrase(united_states, 2));
    lexicon_free(lexicon);
}

static void curly_and_straight_apostrophes_fold_together(void **state)
{
    (void)state;
    assert_int_equal(lexicon_fold(VIEW("O’Brien")), lexicon_fold(VIEW("o'brien")));
    assert_int_equal(lexicon_fold(VIEW("ÉLISE")), lexicon_fold(VIEW("Élise")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_come_back_within_half_a_step),
        cmocka_unit_test(a_damaged_or_foreign_model_is_refused_with_its_path),
        cmocka_unit_test(word_classes_come_back_grain_by_grain),
        cmocka_unit_test(lists_are_found_without_case_and_word_by_word),
        cmocka_unit_test(curly_and_straight_apostrophes_fold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
