// `copydesk journal verify|dump` of a sound journal, a damaged one, one with a torn tail and none at all.
#include "services/broker/broker.h"
#include "tests/unit/memory_disk.h"

#include <unistd.h>

enum { OUTPUT_BYTES = 4096 };

struct place {
    char folder[64];
    char file[128];
    struct memory_disk *disk;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct journal *journal = small_journal();
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/copydesk-journal-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->file, sizeof place->file, "%s/journal-%012d.cdj", place->folder, 1);
    place->disk = new_disk();
    append(journal, 1);
    commit_all(journal, place->disk);
    append(journal, 2);
    commit_all(journal, place->disk);
    journal_free(journal);
    *state = place;
    return 0;
}

static int clear_place(void **state)
{
    struct place *place = *state;
    unlink(place->file);
    assert_int_equal(rmdir(place->folder), 0);
    free(place->disk);
    free(place);
    return 0;
}

static void save(const struct place *place)
{
    FILE *file = fopen(place->file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(place->disk->bytes[1], 1, place->disk->len[1], file),
                     place->disk->len[1]);
    assert_int_equal(fclose(file), 0);
}

// Runs the command; `said` gets what it writes to both streams.
static int run(const char *verb, const struct place *place, char said[OUTPUT_BYTES])
{
    char *argv[] = {(char *)"journal", (char *)verb, (char *)place->folder, NULL};
    FILE *output = tmpfile();
    assert_non_null(output);
    fflush(stdout);
    fflush(stderr);
    int old_stdout = dup(STDOUT_FILENO);
    int old_stderr = dup(STDERR_FILENO);
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    int code = journal_main(3, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old_stdout, STDOUT_FILENO);
    dup2(old_stderr, STDERR_FILENO);
    close(old_stdout);
    close(old_stderr);
    rewind(output);
    said[fread(said, 1, OUTPUT_BYTES - 1, output)] = '\0';
    fclose(output);
    return code;
}

static void expect(const char *said, const char *part)
{
    if (!strstr(said, part)) {
        fail_msg("'%s' is not in: %s", part, said);
    }
}

static void a_sound_journal_is_counted_and_listed(void **state)
{
    char said[OUTPUT_BYTES];
    save(*state);
    assert_int_equal(run("verify", *state, said), 0);
    expect(said, "sound: 1 segments, 2 batches");
    expect(said, "2 ARTICLE");
    assert_null(strstr(said, "tail"));
    assert_int_equal(run("dump", *state, said), 0);
    expect(said, "1:88 ARTICLE 1 id=id version=1 lane=routine bytes=10\n");
}

static void damage_is_told_with_its_place_and_the_next_step(void **state)
{
    char said[OUTPUT_BYTES];
    struct place *place = *state;
    place->disk->bytes[1][100] ^= 1;
    save(place);
    assert_int_not_equal(run("verify", place, said), 0);
    expect(said, "journal segment 1, byte 64: a batch is damaged and sound ones follow it");
    expect(said, "restore the segment from a copy");
    assert_null(strstr(said, "sound:"));
}

static void a_tail_is_told_and_left(void **state)
{
    char said[OUTPUT_BYTES];
    struct place *place = *state;
    place->disk->len[1] -= 10;
    save(place);
    for (int times = 0; times < 2; times++) {
        assert_int_equal(run("verify", place, said), 0);
        expect(said, "tail: 142 bytes of segment 1 will be cut off at the next start");
        expect(said, "sound: 1 segments, 1 batches");
    }
}

static void a_folder_without_a_journal_is_not_called_sound(void **state)
{
    char said[OUTPUT_BYTES];
    assert_int_not_equal(run("verify", *state, said), 0);
    expect(said, "there is no journal in /tmp/copydesk-journal-");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
    const struct CMUnitTest tests[] = {
        TEST(a_sound_journal_is_counted_and_listed),
        TEST(damage_is_told_with_its_place_and_the_next_step),
        TEST(a_tail_is_told_and_left),
        TEST(a_folder_without_a_journal_is_not_called_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
