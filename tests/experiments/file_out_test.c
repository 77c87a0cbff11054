#include "experiments/file_out.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

/* Each test runs in a process of its own (CK_FORK) and in a directory of its own. */
static char scratch[64];

static void enter_scratch(void) {
    snprintf(scratch, sizeof scratch, "/tmp/knockon-file-out-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
    signal(SIGXFSZ, SIG_IGN);
}

static void leave_scratch(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void assert_holds(const char *path, const char *text) {
    char found[256] = "";
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing", path);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(found, text);
}

/* How many names a directory has besides the lock. */
static int count_files(const char *path) {
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                 strcmp(entry->d_name, ".knockon.lock") != 0;
    }
    closedir(directory);
    return count;
}

static OutDir open_dir(const char *path) {
    OutDir dir;
    Error error;
    ck_assert_msg(out_dir_open(&dir, path, &error), "%s", error.text);
    return dir;
}

static void assert_refused(const char *path, const char *text) {
    OutDir dir;
    Error error = {""};
    ck_assert(!out_dir_open(&dir, path, &error));
    ck_assert_str_eq(error.text, text);
}

START_TEST(a_finished_file_is_whole_and_its_facts_are_true) {
    enter_scratch();
    OutDir dir = open_dir("out/deep");
    FileOut *out = file_out_open(&dir, "abc.txt", NULL);
    file_out_write(out, "a", 1);
    memcpy(file_out_room(out, 2), "bc", 2);
    file_out_used(out, 2);
    ck_assert_int_ne(access("out/deep/abc.txt", F_OK), 0);
    ck_assert_int_eq(access("out/deep/.abc.txt.tmp", F_OK), 0);
    FileFacts facts;
    ck_assert(file_out_finish(out, &facts, NULL));
    ck_assert_str_eq(facts.name, "abc.txt");
    ck_assert_uint_eq(facts.size, 3);
    /* The example of FIPS 180-2. */
    ck_assert_str_eq(facts.sha256,
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_holds("out/deep/abc.txt", "abc");
    ck_assert_int_eq(count_files("out/deep"), 1);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(pieces_of_every_size_arrive_in_order) {
    enter_scratch();
    OutDir dir = open_dir("out");
    FileOut *out = file_out_open(&dir, "pieces", NULL);
    enum { LARGEST = 3 * FILE_OUT_BUFFER_SIZE };
    char *piece = malloc(LARGEST);
    struct sha256_ctx sha;
    sha256_init(&sha);
    uint64_t total = 0;
    for (size_t size = 1; size < LARGEST; size = size * 3 + 1) {
        memset(piece, (int)(size % 251), size);
        file_out_write(out, piece, size);
        sha256_update(&sha, size, (const uint8_t *)piece);
        total += size;
    }
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&sha, sizeof digest, digest);
    FileFacts facts;
    ck_assert(file_out_finish(out, &facts, NULL));
    ck_assert_uint_eq(facts.size, total);
    for (size_t i = 0; i < sizeof digest; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", digest[i]);
        ck_assert_mem_eq(hex, facts.sha256 + 2 * i, 2);
    }
    struct stat status;
    ck_assert_int_eq(stat("out/pieces", &status), 0);
    ck_assert_uint_eq((uint64_t)status.st_size, total);
    free(piece);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(a_full_disk_is_reported_and_leaves_no_half_file) {
    enter_scratch();
    ck_assert_int_eq(mkdir("small", 0777), 0);
    if (mount("none", "small", "tmpfs", 0, "size=64k") != 0) {
        fputs("skipped: no right to mount a tmpfs\n", stderr);
        leave_scratch();
        return;
    }
    OutDir dir = open_dir("small");
    put("small/result.csv", "from before\n");
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    char block[4096] = {0};
    for (int i = 0; i < 64; i++) {
        file_out_write(out, block, sizeof block);
    }
    ck_assert(file_out_failed(out));
    Error error;
    ck_assert(!file_out_finish(out, NULL, &error));
    ck_assert_str_eq(error.text, "cannot write 'small/result.csv': No space left on device");
    assert_holds("small/result.csv", "from before\n");
    ck_assert_int_eq(count_files("small"), 1);
    out_dir_close(&dir);
    umount("small");
    leave_scratch();
}
END_TEST

START_TEST(a_size_limit_is_reported_and_not_a_death) {
    enter_scratch();
    OutDir dir = open_dir("out");
    struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    char block[1500] = {0};
    file_out_write(out, block, sizeof block);
    ck_assert(!file_out_failed(out)); /* still in the buffer */
    Error error;
    ck_assert(!file_out_finish(out, NULL, &error));
    ck_assert_str_eq(error.text, "cannot write 'out/result.csv': File too large");
    ck_assert_int_eq(count_files("out"), 0);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(a_failed_sync_is_final) {
    enter_scratch();
    OutDir dir = open_dir("out");
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    file_out_write(out, "x", 1);
    /* A pipe takes the bytes and cannot be synced. */
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dup2(ends[1], out->fd), 0);
    Error error;
    ck_assert(!file_out_finish(out, NULL, &error));
    ck_assert_str_eq(error.text, "cannot sync 'out/result.csv': Invalid argument");
    ck_assert_int_eq(count_files("out"), 0);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(dev_full_is_a_failed_write) {
    enter_scratch();
    OutDir dir = open_dir("out");
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(dup2(full, out->fd), 0);
    file_out_write(out, "x", 1);
    Error error;
    ck_assert(!file_out_finish(out, NULL, &error));
    ck_assert_str_eq(error.text, "cannot write 'out/result.csv': No space left on device");
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(a_directory_in_the_way_is_reported) {
    enter_scratch();
    OutDir dir = open_dir("out");
    ck_assert_int_eq(mkdir("out/result.csv", 0777), 0);
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    Error error;
    ck_assert(!file_out_finish(out, NULL, &error));
    ck_assert_str_eq(error.text, "cannot rename 'out/result.csv': Is a directory");
    ck_assert_int_eq(mkdir("out/.other.csv.tmp", 0777), 0);
    ck_assert_ptr_null(file_out_open(&dir, "other.csv", &error));
    ck_assert_str_eq(error.text, "cannot create 'out/other.csv': File exists");
    ck_assert_int_eq(count_files("out"), 2);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(planted_links_are_replaced_and_their_targets_untouched) {
    enter_scratch();
    OutDir dir = open_dir("out");
    put("precious", "keep me");
    ck_assert_int_eq(symlink("../precious", "out/.a.csv.tmp"), 0);
    ck_assert_int_eq(symlink("../precious", "out/a.csv"), 0);
    ck_assert_int_eq(link("precious", "out/.b.csv.tmp"), 0);
    ck_assert_int_eq(link("precious", "out/b.csv"), 0);
    static const char *const NAMES[] = {"a.csv", "b.csv"};
    for (int i = 0; i < 2; i++) {
        FileOut *out = file_out_open(&dir, NAMES[i], NULL);
        file_out_write(out, "mine", 4);
        ck_assert(file_out_finish(out, NULL, NULL));
    }
    assert_holds("precious", "keep me");
    assert_holds("out/a.csv", "mine");
    assert_holds("out/b.csv", "mine");
    ck_assert_int_eq(count_files("out"), 2);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(planted_locks_are_refused_and_their_targets_untouched) {
    enter_scratch();
    ck_assert_int_eq(mkdir("out", 0777), 0);
    put("precious", "keep me");
    ck_assert_int_eq(link("precious", "out/.knockon.lock"), 0);
    assert_refused("out", "'out/.knockon.lock' is not a lock file of ours; remove it");
    ck_assert_int_eq(unlink("out/.knockon.lock"), 0);
    ck_assert_int_eq(symlink("../precious", "out/.knockon.lock"), 0);
    assert_refused("out", "cannot write to 'out': Too many levels of symbolic links");
    ck_assert_int_eq(unlink("out/.knockon.lock"), 0);
    ck_assert_int_eq(mkfifo("out/.knockon.lock", 0777), 0);
    assert_refused("out", "'out/.knockon.lock' is not a lock file of ours; remove it");
    assert_holds("precious", "keep me");
    leave_scratch();
}
END_TEST

START_TEST(an_output_path_that_is_no_directory_is_refused) {
    enter_scratch();
    put("file", "");
    ck_assert_int_eq(mkfifo("fifo", 0777), 0);
    assert_refused("file", "cannot use 'file' for output: Not a directory");
    assert_refused("fifo", "cannot use 'fifo' for output: Not a directory");
    assert_refused("file/below", "cannot use 'file/below' for output: Not a directory");
    assert_refused("", "cannot use '' for output: No such file or directory");
    leave_scratch();
}
END_TEST

START_TEST(a_directory_without_permission_is_refused_at_once) {
    enter_scratch();
    ck_assert_int_eq(mkdir("closed", 0555), 0);
    ck_assert_int_eq(chmod(scratch, 0755), 0);
    bool is_root = geteuid() == 0; /* who may write anywhere */
    ck_assert(!is_root || seteuid(65534) == 0);
    assert_refused("closed", "cannot write to 'closed': Permission denied");
    assert_refused("closed/below", "cannot use 'closed/below' for output: Permission denied");
    ck_assert(!is_root || seteuid(0) == 0);
    leave_scratch();
}
END_TEST

START_TEST(the_second_writer_is_told_who_holds_the_directory) {
    enter_scratch();
    OutDir dir = open_dir("out");
    char expected[256];
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    snprintf(expected, sizeof expected,
             "'out' is being written by process %ld on %s; wait for it or give another --out",
             (long)getpid(), host);
    assert_refused("out", expected);
    out_dir_close(&dir);
    dir = open_dir("out");
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(a_killed_writer_frees_the_lock_and_its_rest_is_replaced) {
    enter_scratch();
    pid_t child = fork();
    if (child == 0) {
        OutDir dir = open_dir("out");
        FileOut *out = file_out_open(&dir, "result.csv", NULL);
        file_out_write(out, "half", 4);
        file_out_flush(out);
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    assert_holds("out/.result.csv.tmp", "half");
    OutDir dir = open_dir("out");
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    file_out_write(out, "whole", 5);
    ck_assert(file_out_finish(out, NULL, NULL));
    assert_holds("out/result.csv", "whole");
    ck_assert_int_eq(count_files("out"), 1);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing) {
    enter_scratch();
    OutDir dir = open_dir("out");
    FileOut *out = file_out_open(&dir, "result.csv", NULL);
    file_out_write(out, "x", 1);
    file_out_flush(out);
    file_out_abandon(out);
    ck_assert_int_eq(count_files("out"), 0);
    out_dir_close(&dir);
    leave_scratch();
}
END_TEST

START_TEST(names_that_could_leave_the_directory_are_invalid) {
    static const char *const GOOD[] = {"a", "summary.csv", "0-9_A.z"};
    static const char *const BAD[] = {"",    ".",  "..",   "../x", "/etc/x", "a/b",
                                      "-rf", ".a", "a\nb", "a b",  "=cmd",   "a\xc3\xa4"};
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        ck_assert_msg(file_name_is_valid(GOOD[i]), "%s", GOOD[i]);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        ck_assert_msg(!file_name_is_valid(BAD[i]), "%s", BAD[i]);
    }
    char longest[66];
    memset(longest, 'x', sizeof longest);
    longest[65] = '\0';
    ck_assert(!file_name_is_valid(longest));
    longest[64] = '\0';
    ck_assert(file_name_is_valid(longest));
}
END_TEST

TEST_SUITE("experiments/file_out", a_finished_file_is_whole_and_its_facts_are_true,
           pieces_of_every_size_arrive_in_order, a_full_disk_is_reported_and_leaves_no_half_file,
           a_size_limit_is_reported_and_not_a_death, a_failed_sync_is_final,
           dev_full_is_a_failed_write, a_directory_in_the_way_is_reported,
           planted_links_are_replaced_and_their_targets_untouched,
           planted_locks_are_refused_and_their_targets_untouched,
           an_output_path_that_is_no_directory_is_refused,
           a_directory_without_permission_is_refused_at_once,
           the_second_writer_is_told_who_holds_the_directory,
           a_killed_writer_frees_the_lock_and_its_rest_is_replaced,
           an_abandoned_file_leaves_nothing, names_that_could_leave_the_directory_are_invalid)
