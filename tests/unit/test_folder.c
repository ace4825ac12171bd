#include "common/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void missing_folders_above_are_made_too(void **state)
{
    (void)state;
    char root[] = "/tmp/copydesk-folder-XXXXXX";
    char path[128];
    struct stat found;
    struct error why = {""};
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/a/b/c/", root);
    assert_int_equal(folder_make(path, &why), OK);
    assert_int_equal(folder_make(path, &why), OK); // there already
    assert_int_equal(stat(path, &found), 0);
    assert_true(S_ISDIR(found.st_mode));
    assert_int_equal(found.st_mode & 07, 0);
    for (const char *part = "cba"; *part; part++) {
        snprintf(path, sizeof path, "%s/%.*s", root, (int)(2 * (*part - 'a') + 1), "a/b/c");
        rmdir(path);
    }
    assert_int_equal(rmdir(root), 0);
}

static void the_part_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    char longest[5000];
    assert_int_equal(folder_make("/dev/null/a/b", &why), ERR_IO);
    assert_non_null(strstr(why.text, "/dev/null/a: Not a directory"));
    assert_int_equal(folder_make("", &why), ERR_LIMIT);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(folder_make(longest, &why), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_folders_above_are_made_too),
        cmocka_unit_test(the_part_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
