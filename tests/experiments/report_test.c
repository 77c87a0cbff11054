#include "experiments/report.h"

#include <ctype.h>
#include <nettle/base64.h>

#include "experiments/html.h"
#include "experiments/pictures.h"
#include "tests/experiments/run_mock.h"

/* Makes the page of run/; the caller frees it. */
static char *make_page(const char *no_pictures) {
    OutDir dir;
    Error error = {0};
    size_t size;
    ck_assert_msg(out_dir_open(&dir, "run", &error), "%s", error.text);
    ck_assert_msg(report_make(&dir, no_pictures, &error), "%s", error.text);
    out_dir_close(&dir);
    char *page = slurp("run/report.html", &size);
    ck_assert_uint_eq(strlen(page), size);
    return page;
}

/* The page without pictures of a mock. */
static char *page_of(const Mock *mock) {
    enter_scratch();
    mock_make(mock);
    return make_page("no pictures: gnuplot is not there");
}

static void check_says(const char *page, const char *words) {
    ck_assert_msg(strstr(page, words) != NULL, "it does not say: %s", words);
}

/* ---- Well-formed: a reader of tags as HTML prescribes it, for what we write */

static bool is_void(const char *name) {
    return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0;
}

static bool is_known(const char *name) {
    static const char KNOWN[] =
        " html head meta title style body main header section h1 h2 p b strong small span code pre "
        "a ul ol li dl div dt dd table thead tbody tr th td details summary figure figcaption "
        "svg desc g path rect line polygon text tspan ";
    char word[40];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(KNOWN, word) != NULL;
}

/* From behind '<' to behind '>'; fills the name. Attributes are NAME="VALUE", none is an event. */
static const char *read_tag(const char *at, char name[32], bool *is_closed) {
    size_t size = 0;
    while (isalnum((unsigned char)*at) && size < 31) {
        name[size++] = *at++;
    }
    name[size] = '\0';
    while (*at == ' ') {
        at++;
        const char *attribute = at;
        at += strcspn(at, "= >/");
        ck_assert_msg(strncmp(attribute, "on", 2) != 0, "an event: %.40s", attribute);
        ck_assert_msg(strncmp(attribute, "style", 5) != 0, "a style: %.40s", attribute);
        ck_assert_msg(at[0] == '=' && at[1] == '"', "not an attribute: %.40s", attribute);
        at = strchr(at + 2, '"');
        ck_assert_ptr_nonnull(at);
        at++;
    }
    *is_closed = *at == '/';
    at += *is_closed;
    ck_assert_msg(*at == '>', "a tag that does not end: %.40s", at);
    return at + 1;
}

static void check_page(const char *page) {
    char open[32][32], name[32];
    int depth = 0;
    bool is_closed;
    const char *at = page + strlen("<!DOCTYPE html>");
    ck_assert_int_eq(strncmp(page, "<!DOCTYPE html>", 15), 0);
    while ((at = strchr(at, '<')) != NULL) {
        bool is_end = at[1] == '/';
        at = read_tag(at + 1 + is_end, name, &is_closed);
        ck_assert_msg(is_known(name), "a tag <%s>", name);
        if (is_end) {
            ck_assert_msg(depth > 0 && strcmp(open[depth - 1], name) == 0, "</%s> ends <%s>", name,
                          depth > 0 ? open[depth - 1] : "");
            depth--;
        } else if (!is_closed && !is_void(name)) {
            ck_assert_int_lt(depth, 32);
            strcpy(open[depth++], name);
        }
    }
    ck_assert_int_eq(depth, 0);
}

static void check_ids_differ(const char *page) {
    char seen[64][64];
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, " id=\"")) != NULL;) {
        at += 5;
        ck_assert_uint_lt(count, 64);
        snprintf(seen[count], sizeof seen[count], "%.*s", (int)strcspn(at, "\""), at);
        for (size_t i = 0; i < count; i++) {
            ck_assert_str_ne(seen[i], seen[count]);
        }
        count++;
    }
    ck_assert_uint_eq(count, 6); /* title and description of three pictures */
}

/* ---- What it says */

START_TEST(the_first_screen_has_the_verdict_with_its_interval) {
    char *page = page_of(&MOCK);
    check_page(page);
    check_says(page, "<h1>storm</h1>");
    check_says(page, "Verdict: metastable in 3 of 4 replications");
    check_says(page, "<td>metastable</td>");
    /* Wilson's interval for 3 of 4 at 95 %: [0.3006, 0.9544]; for 1 of 4: [0.0456, 0.6994] */
    check_says(page, "3 of 4, 75\xc2\xa0% (95 % interval 30\xc2\xa0% to 95\xc2\xa0%)");
    check_says(page, "1 of 4, 25\xc2\xa0% (95 % interval 4.6\xc2\xa0% to 70\xc2\xa0%)");
    check_says(page, "In replication 0: it was so.");
    check_says(page, "<b>slow llm</b> from 25\xc2\xa0s to 50\xc2\xa0s");
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(the_first_screen_has_when_how_bad_and_what_first) {
    char *page = page_of(&MOCK);
    check_says(page, "<dt>It fell at</dt><dd>30\xc2\xa0s<small>into the run, 5\xc2\xa0s after the "
                     "trigger began; median of 3 of 4</small>");
    check_says(page, "<dd>5\xc2\xa0%<small>of what it was expected to answer; median of 4, "
                     "5\xc2\xa0% to 98\xc2\xa0%</small>");
    check_says(page, "<dd>3<small>1 is no retry; median of 4, 1 to 3</small>");
    /* 3 of 4 replications lose 19 of 20 */
    check_says(page, "<dt>Requests that failed</dt><dd>71\xc2\xa0%<small>1425 of 2000 measured, "
                     "mean</small>");
    check_says(page, "<dt>It came back at</dt><dd>never<small>within the run</small>");
    check_says(page, "<dd>llm<small>in 3 of 4 replications; 2 components broke in all</small>");
    check_says(page, "<li><b>llm</b> → <b>web</b>, in 3 of 4 replications</li>");
    check_says(page, "<b>web</b> at 31\xc2\xa0s; median of 3 of 4; without a fault of its own");
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(objectives_are_judged_by_the_mean_over_replications) {
    char *page = page_of(&MOCK);
    check_says(page, "<span class=\"missed\">✗ missed</span> web: p99 &lt;= 2s");
    check_says(page, "(it was 7.12 s, 95 % interval 1.16 to 13.1)");
    check_says(page, "<span class=\"kept\">✓ kept</span> web: p50 &lt;= 300ms");
    check_says(page, "71\xc2\xa0% failed, and have none");
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(a_single_healthy_replication_reads_well) {
    Mock mock = MOCK;
    mock.replications = 1;
    mock.metastable = 0;
    char *page = page_of(&mock);
    check_page(page);
    check_says(page, "Verdict: healthy</strong><p>It never fell.</p>");
    check_says(page, "<dt>It fell at</dt><dd>never<small>");
    check_says(page, "<dt>Broke first</dt><dd>nothing<small>");
    check_says(page, "there are no intervals");
    ck_assert_ptr_null(strstr(page, "median of"));
    ck_assert_ptr_null(strstr(page, "What broke"));
    ck_assert_ptr_null(strstr(page, "nan"));
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(inference_servers_have_a_section_and_others_have_none) {
    Mock mock = MOCK;
    char *page = page_of(&mock);
    ck_assert_ptr_null(strstr(page, "Inference"));
    free(page);
    leave_scratch();
    mock.has_tokens = true;
    mock.metastable = 0;
    page = page_of(&mock);
    check_page(page);
    check_says(page, "<h2>Inference</h2>");
    /* Of the client the times to first token; of the service also tokens and blocks. */
    check_says(page, "<td class=\"t\">client</td><td>0.25 <small>± 0</small></td>"
                     "<td>0.5 <small>± 0</small></td><td></td><td></td><td></td><td></td>");
    check_says(page, "<td>0.125 <small>± 0</small></td><td>4000 <small>± 0</small></td>"
                     "<td>1000 <small>± 0</small></td><td>0.25 <small>± 0</small></td>");
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(missing_pictures_are_told_and_old_ones_not_shown) {
    enter_scratch();
    mock_make(&MOCK);
    FILE *file = mock_open("load.svg");
    fputs("<svg><text>stale</text></svg>", file);
    fclose(file);
    char *page = make_page("no pictures: gnuplot is <gone>");
    check_page(page);
    check_says(page, "<p class=\"missed\">no pictures: gnuplot is &lt;gone&gt;</p>");
    ck_assert_ptr_null(strstr(page, "stale"));
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(pictures_are_inline_and_described) {
    Error error;
    enter_scratch();
    mock_make(&MOCK);
    ck_assert_msg(pictures_make("run", &error), "%s", error.text);
    char *page = make_page(NULL);
    check_page(page);
    check_ids_differ(page);
    check_says(page, "aria-labelledby=\"load-title load-desc\"");
    check_says(page, "<figcaption>Per second: requests offered by all clients");
    ck_assert_uint_lt(strlen(page), 400000);
    free(page);
    leave_scratch();
}
END_TEST

START_TEST(the_policy_allows_the_one_style_sheet_and_nothing_else) {
    char *page = page_of(&MOCK);
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hash[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "", policy[300];
    const char *style = strstr(page, "<style>") + 7;
    sha256_init(&sha);
    sha256_update(&sha, (size_t)(strstr(style, "</style>") - style), (const uint8_t *)style);
    sha256_digest(&sha, sizeof digest, digest);
    base64_encode_raw(hash, sizeof digest, digest);
    snprintf(policy, sizeof policy,
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
             "'sha256-%s'; base-uri 'none'; form-action 'none'\">",
             hash);
    check_says(page, policy);
    ck_assert_ptr_null(strstr(page, "<script"));
    ck_assert_ptr_null(strstr(page, "http://"));
    ck_assert_ptr_null(strstr(page, "https://"));
    free(page);
    leave_scratch();
}
END_TEST

/* ---- Hostile texts */

START_TEST(no_text_of_a_users_becomes_markup) {
    for (int i = 0; i < HOSTILE_COUNT; i++) {
        Mock mock = MOCK;
        mock.title = mock.about = mock.fault = HOSTILE[i];
        mock.client = HOSTILE[(i + 1) % HOSTILE_COUNT];
        mock.service = HOSTILE[(i + 2) % HOSTILE_COUNT];
        enter_scratch();
        mock.title = mock.about = (i + 2) == HOSTILE_COUNT ? "" : HOSTILE[i]; /* JSON is UTF-8 */
        mock_timeseries(&mock);
        mock_summary(&mock);
        mock_outcome(&mock);
        mock_events(&mock);
        mock.client = "web";
        mock_manifest(&mock);
        char *page = make_page("no pictures");
        check_page(page);
        free(page);
        leave_scratch();
    }
}
END_TEST

/* A picture in a directory from elsewhere may hold anything: only one just drawn is shown, and
 * gnuplot escapes what it writes. */
START_TEST(hostile_names_stay_text_in_the_pictures_of_the_page) {
    Error error;
    Mock mock = MOCK;
    mock.samples = 10;
    mock.service = "</text><script>alert(1)</script>";
    mock.fault = "<a href='javascript:alert(1)'>&x";
    enter_scratch();
    mock_make(&mock);
    ck_assert_msg(pictures_make("run", &error), "%s", error.text);
    char *page = make_page(NULL);
    check_page(page);
    check_says(page, "<text>&lt;/text>&lt;script>alert(1)&lt;/script>: utilization</text>");
    free(page);
    leave_scratch();
}
END_TEST

/* ---- Directories that are none */

static void check_refused(const char *words) {
    OutDir dir;
    Error error = {0};
    ck_assert(out_dir_open(&dir, "run", &error));
    ck_assert(!report_make(&dir, NULL, &error));
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    out_dir_close(&dir);
}

static void put(const char *name, const char *text) {
    FILE *file = mock_open(name);
    fputs(text, file);
    fclose(file);
}

START_TEST(a_directory_that_is_none_of_ours_is_refused_by_file_and_line) {
    enter_scratch();
    check_refused("run/manifest.json: unable to open run/manifest.json: No such file or directory; "
                  "is 'run' an output directory of knockon run?");
    mock_make(&MOCK);
    put("manifest.json", "{\"name\": ");
    check_refused("run/manifest.json: ");
    mock_manifest(&MOCK);
    put("outcome.csv", "replication,seed\n");
    check_refused("run/outcome.csv:1: there is no column 'verdict'");
    mock_outcome(&MOCK);
    put("summary.csv", "replication,component,kind,offered_count\n0,web,client,x\n");
    check_refused("run/summary.csv:2: 'x' is not a number (column 'offered_count')");
    put("summary.csv", "replication,component,kind\n-1,web,client\n");
    mock_summary(&MOCK);
    put("events.csv", "replication,time_s,component,event,detail\n1.5,0,,collapse,\n");
    check_refused("run/events.csv:2: '1.5' is not the number of a replication");
    leave_scratch();
}
END_TEST

START_TEST(times_and_numbers_read_as_people_say_them) {
    ck_assert_str_eq(words_time(0.25).text, "250\xc2\xa0ms");
    ck_assert_str_eq(words_time(0).text, "0\xc2\xa0s");
    ck_assert_str_eq(words_time(43.62).text, "43.6\xc2\xa0s");
    ck_assert_str_eq(words_time(304).text, "5\xc2\xa0min\xc2\xa0"
                                           "4\xc2\xa0s");
    ck_assert_str_eq(words_time(359.7).text, "6\xc2\xa0min");
    ck_assert_str_eq(words_time(8100).text, "2\xc2\xa0h\xc2\xa0"
                                            "15\xc2\xa0min");
    ck_assert_str_eq(words_time(200000).text, "2\xc2\xa0"
                                              "d\xc2\xa0"
                                              "8\xc2\xa0h");
    ck_assert_str_eq(words_time(NAN).text, "–");
    ck_assert_str_eq(words_number(0.012345).text, "0.0123");
    ck_assert_str_eq(words_number(36874.2).text, "36874");
    ck_assert_str_eq(words_short(123.4).text, "123");
    ck_assert_str_eq(words_short(0.02345).text, "0.023");
    ck_assert_str_eq(words_percent(0.0456).text, "4.6\xc2\xa0%");
    ck_assert_str_eq(words_percent(1).text, "100\xc2\xa0%");
}
END_TEST

TEST_SUITE("experiments/report", the_first_screen_has_the_verdict_with_its_interval,
           the_first_screen_has_when_how_bad_and_what_first,
           objectives_are_judged_by_the_mean_over_replications,
           a_single_healthy_replication_reads_well,
           inference_servers_have_a_section_and_others_have_none,
           missing_pictures_are_told_and_old_ones_not_shown, pictures_are_inline_and_described,
           the_policy_allows_the_one_style_sheet_and_nothing_else,
           no_text_of_a_users_becomes_markup, hostile_names_stay_text_in_the_pictures_of_the_page,
           a_directory_that_is_none_of_ours_is_refused_by_file_and_line,
           times_and_numbers_read_as_people_say_them)
