/* Each message about a text or a setting, in full. */
#include "tests/experiments/doc_test.h"

typedef struct LoadCase {
    const char *text;
    size_t size; /* 0: up to the NUL */
    const char *expected;
} LoadCase;

static const LoadCase load_cases[] = {
    {"a: 1\n"
     "b: 2\n"
     "a: 3\n",
     0,
     "t.yaml:3:1: error: key 'a' is given twice\n"
     "    3 | a: 3\n"
     "      | ^\n"
     "t.yaml:1:1: note: first given here\n"
     "    1 | a: 1\n"
     "      | ^\n"},
    {"k0: 1\n"
     "k1: 1\n"
     "k2: 1\n"
     "k3: 1\n"
     "k4: 1\n"
     "k5: 1\n"
     "k6: 1\n"
     "k7: 1\n"
     "k8: 1\n"
     "k9: 1\n"
     "k10: 1\n"
     "k11: 1\n"
     "k7: 2\n",
     0,
     "t.yaml:13:1: error: key 'k7' is given twice\n"
     "   13 | k7: 2\n"
     "      | ^~\n"
     "t.yaml:8:1: note: first given here\n"
     "    8 | k7: 1\n"
     "      | ^~\n"},
    {"call: &patient {}\n"
     "other: *pateint\n"
     "third: *zzzzzz\n",
     0,
     "t.yaml:2:8: error: no '&pateint' stands before this: did you mean '*patient'?\n"
     "    2 | other: *pateint\n"
     "      |        ^~~~~~~~\n"
     "t.yaml:3:8: error: no '&zzzzzz' stands before this\n"
     "    3 | third: *zzzzzz\n"
     "      |        ^~~~~~~\n"},
    {"a: &a\n"
     "  <<: *a\n"
     "  b: 1\n",
     0,
     "t.yaml:2:7: error: '*a' is used inside itself\n"
     "    2 |   <<: *a\n"
     "      |       ^~\n"},
    {"a: !!str 1\n"
     "b: !x [1]\n"
     "c: !y {d: 1}\n",
     0,
     "t.yaml:1:4: error: a tag ('!...') has no meaning here\n"
     "    1 | a: !!str 1\n"
     "      |    ^~~~~~~\n"
     "t.yaml:2:4: error: a tag ('!...') has no meaning here\n"
     "    2 | b: !x [1]\n"
     "      |    ^~~~\n"
     "t.yaml:3:4: error: a tag ('!...') has no meaning here\n"
     "    3 | c: !y {d: 1}\n"
     "      |    ^~~~\n"},
    {"a: 1\n"
     "---\n"
     "b: 2\n",
     0,
     "t.yaml:2:1: error: a second document begins here: a file holds one\n"
     "    2 | ---\n"
     "      | ^~~\n"},
    {"d: &d {a: 1}\n"
     "e: {<<: [*d, *d]}\n"
     "f: {<<: *d, <<: *d}\n"
     "g: {<<: 1}\n",
     0,
     "t.yaml:2:9: error: '<<' takes one map, such as '<<: *defaults'\n"
     "    2 | e: {<<: [*d, *d]}\n"
     "      |         ^\n"
     "t.yaml:3:13: error: '<<' is given twice in one map\n"
     "    3 | f: {<<: *d, <<: *d}\n"
     "      |             ^~\n"
     "t.yaml:4:9: error: '<<' takes one map, such as '<<: *defaults'\n"
     "    4 | g: {<<: 1}\n"
     "      |         ^\n"},
    {"[a]: 1\n"
     "? {b: 1}\n"
     ": 2\n"
     ": 3\n"
     "c: 4\n",
     0,
     "t.yaml:1:1: error: a key must be a word, not a map or a list\n"
     "    1 | [a]: 1\n"
     "      | ^\n"
     "t.yaml:2:3: error: a key must be a word, not a map or a list\n"
     "    2 | ? {b: 1}\n"
     "      |   ^\n"
     "t.yaml:4:1: error: a key is expected here: is the line indented right?\n"
     "    4 | : 3\n"
     "      | ^\n"
     "t.yaml:1:1: note: the map begins here\n"
     "    1 | [a]: 1\n"
     "      | ^\n"},
    {"a: \"x\\0y\"\n", 0,
     "t.yaml:1:4: error: a value cannot hold a NUL character\n"
     "    1 | a: \"x\\0y\"\n"
     "      |    ^~~~~~\n"},
    {"a:\n"
     "\t- 1\n",
     0,
     "t.yaml:2:1: error: a tab cannot indent a line: use spaces\n"
     "    2 | \\t- 1\n"
     "      | ^~\n"},
    {"rate: @home\n", 0,
     "t.yaml:1:7: error: '@' cannot begin a value: quote the text\n"
     "    1 | rate: @home\n"
     "      |       ^\n"},
    {"a: b: c\n", 0,
     "t.yaml:1:5: error: a ':' is not allowed here: indent the line right, or quote a text that "
     "holds ': '\n"
     "    1 | a: b: c\n"
     "      |     ^\n"},
    {"a:\n"
     "  b: 1\n"
     " c: 2\n",
     0,
     "t.yaml:3:2: error: a key is expected here: is the line indented right?\n"
     "    3 |  c: 2\n"
     "      |  ^\n"
     "t.yaml:1:1: note: the map begins here\n"
     "    1 | a:\n"
     "      | ^\n"},
    {"a:\n"
     "  - 1\n"
     "  b: 2\n",
     0,
     "t.yaml:3:3: error: a '- ' is expected here: is the line indented right?\n"
     "    3 |   b: 2\n"
     "      |   ^\n"
     "t.yaml:2:3: note: the list begins here\n"
     "    2 |   - 1\n"
     "      |   ^\n"},
    {"a: - 1\n", 0,
     "t.yaml:1:4: error: a '- ' is not allowed here: begin the list on a line of its own\n"
     "    1 | a: - 1\n"
     "      |    ^\n"},
    {"a: 1\n"
     "bcd\n"
     "e: 2\n",
     0,
     "t.yaml:2:1: error: a ':' is missing after this key\n"
     "    2 | bcd\n"
     "      | ^\n"},
    {"\"a\n"
     "b\": 1\n",
     0,
     "t.yaml:2:3: error: a ':' is not allowed here: indent the line right, or quote a text that "
     "holds ': '\n"
     "    2 | b\": 1\n"
     "      |   ^\n"},
    {"a: |9x\n"
     " b\n",
     0,
     "t.yaml:1:6: error: did not find expected comment or line break\n"
     "    1 | a: |9x\n"
     "      |      ^\n"},
    {"b: [1, 2\n"
     "c: 3\n",
     0,
     "t.yaml:2:2: error: a ',' or ']' is missing before this\n"
     "    2 | c: 3\n"
     "      |  ^\n"
     "t.yaml:1:4: note: the '[' is here\n"
     "    1 | b: [1, 2\n"
     "      |    ^\n"},
    {"b: {c: 1\n"
     "d: 3\n",
     0,
     "t.yaml:2:2: error: a ',' or '}' is missing before this\n"
     "    2 | d: 3\n"
     "      |  ^\n"
     "t.yaml:1:4: note: the '{' is here\n"
     "    1 | b: {c: 1\n"
     "      |    ^\n"},
    {"b: [1, 2", 0,
     "t.yaml:1:9: error: a ',' or ']' is missing before this\n"
     "    1 | b: [1, 2\n"
     "      |         ^\n"
     "t.yaml:1:4: note: the '[' is here\n"
     "    1 | b: [1, 2\n"
     "      |    ^\n"},
    {"a: [1,,2]\n", 0,
     "t.yaml:1:7: error: a value is missing before this\n"
     "    1 | a: [1,,2]\n"
     "      |       ^\n"},
    {"a: 1\n"
     "b: \"x\n"
     "\n"
     "c",
     0,
     "t.yaml:4:2: error: the text ends inside quotes\n"
     "    4 | c\n"
     "      |  ^\n"
     "t.yaml:2:4: note: the quote is here\n"
     "    2 | b: \"x\n"
     "      |    ^\n"},
    {"a: \"\\q\"\n", 0,
     "t.yaml:1:5: error: no such escape: in single quotes a backslash is only a backslash\n"
     "    1 | a: \"\\q\"\n"
     "      |     ^\n"
     "t.yaml:1:4: note: the quote is here\n"
     "    1 | a: \"\\q\"\n"
     "      |    ^\n"},
    {"a: 1\n"
     "b: caf\xE9\n"
     "c: 3\n",
     0,
     "t.yaml:2:7: error: byte 0xE9 is not UTF-8: save the file as UTF-8\n"
     "    2 | b: caf\\xE9\n"
     "      |       ^~~~\n"},
    {"\xFF\xFE"
     "a\x00:\x00",
     sizeof "\xFF\xFE"
            "a\x00:\x00" -
         1,
     "t.yaml:1:1: error: the file is UTF-16: save it as UTF-8\n"
     "    1 | \\xFF\\xFEa\\x00:\\x00\n"
     "      | ^~~~\n"},
    {"a: x\x00y\n", sizeof "a: x\x00y\n" - 1,
     "t.yaml:1:5: error: a NUL byte: this is not a text file\n"
     "    1 | a: x\\x00y\n"
     "      |     ^~~~\n"},
    {"a: \x1B[31mred\n", 0,
     "t.yaml:1:4: error: character U+001B is not allowed: in double quotes write \\u001B\n"
     "    1 | a: \\x1B[31mred\n"
     "      |    ^~~~\n"},
    {"a: x\xEF\xBB\xBFy\n", 0,
     "t.yaml:1:5: error: character U+FEFF is not allowed: in double quotes write \\uFEFF\n"
     "    1 | a: x\\uFEFFy\n"
     "      |     ^~~~~~\n"},
    {"", 0,
     "t.yaml:1:1: error: the file is empty\n"
     "    1 | \n"
     "      | ^\n"},
    {"# nothing\n", 0,
     "t.yaml:1:1: error: the file is empty\n"
     "    1 | # nothing\n"
     "      | ^\n"},
    {"---\n", 0,
     "t.yaml:1:1: error: the file is empty\n"
     "    1 | ---\n"
     "      | ^\n"},
    {"a: 1\r\n"
     "b: [1\r\n",
     0,
     "t.yaml:2:6: error: a ',' or ']' is missing before this\n"
     "    2 | b: [1\n"
     "      |      ^\n"
     "t.yaml:2:4: note: the '[' is here\n"
     "    2 | b: [1\n"
     "      |    ^\n"},
    {"gr\xC3\xB6\xC3\x9F"
     "e: [\xE4\xB8\xAD, b: {\n",
     0,
     "t.yaml:1:16: error: a value is missing before this\n"
     "    1 | gr\xC3\xB6\xC3\x9F"
     "e: [\xE4\xB8\xAD, b: {\n"
     "      |                ^\n"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0,
     "t.yaml:1:65: error: more than 64 levels deep\n"
     "    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"
     "      |                                                                 ^\n"},
    {"a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
     "b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
     0,
     "t.yaml:2:44: error: more than 64 levels deep\n"
     "    2 | b: "
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
     "      |                                            ^~\n"},
    {":\r:", 0,
     "t.yaml:1:1: error: a key is expected here: is the line indented right?\n"
     "    1 | :\n"
     "      | ^\n"
     "t.yaml:1:1: note: the map begins here\n"
     "    1 | :\n"
     "      | ^\n"},
    {"include: [a]\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: [a]\n"
     "      |          ^\n"},
    {"include: ../x.yaml\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: ../x.yaml\n"
     "      |          ^~~~~~~~~\n"},
    {"include: /etc/passwd\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: /etc/passwd\n"
     "      |          ^~~~~~~~~~~\n"},
    {"include: ./x.yaml\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: ./x.yaml\n"
     "      |          ^~~~~~~~\n"},
    {"include: a//b\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: a//b\n"
     "      |          ^~~~\n"},
    {"include:\n", 0,
     "t.yaml:1:9: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include:\n"
     "      |         ^\n"},
    {"include: \"a\\eb\"\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: \"a\\eb\"\n"
     "      |          ^~~~~~\n"},
    {"include: a\\b\n", 0,
     "t.yaml:1:10: error: 'include' takes the name of a file beside this one, such as "
     "'common.yaml'\n"
     "    1 | include: a\\b\n"
     "      |          ^~~\n"},
    {"include: no-such-file.yaml\n", 0,
     "t.yaml:1:10: error: cannot include 'no-such-file.yaml': No such file or directory\n"
     "    1 | include: no-such-file.yaml\n"
     "      |          ^~~~~~~~~~~~~~~~~\n"},
};

START_TEST(each_mistake_in_a_text_is_named_with_its_place) {
    for (size_t i = 0; i < sizeof load_cases / sizeof load_cases[0]; i++) {
        const LoadCase *c = &load_cases[i];
        Diagnostics diagnostics = {0};
        Doc doc = {0};
        size_t size = c->size > 0 ? c->size : strlen(c->text);
        ck_assert(!doc_load_text(&doc, "t.yaml", c->text, size, &diagnostics));
        check_printed(&diagnostics, c->expected);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

static const char set_sample[] = "run: {duration: 30min}\n"
                                 "clients:\n"
                                 "  web: {rate: 40/s}\n"
                                 "services:\n"
                                 "  gpt-4.1:\n"
                                 "    calls: [{to: a}, {to: b}]\n"
                                 "    none: []\n";

typedef struct SetCase {
    const char *assignment, *expected;
} SetCase;

static const SetCase wrong_sets[] = {
    {"clients.wob.rate=2/s",
     "--set clients.wob.rate:1:9: error: 'clients' has no 'wob': did you mean 'web'?\n"
     "    1 | clients.wob.rate=2/s\n"
     "      |         ^~~\n"},
    {"services.gtp-4.1.replicas=2", "--set services.gtp-4.1.replicas:1:10: error: 'services' has "
                                    "no 'gtp-4.1': did you mean 'gpt-4.1'?\n"
                                    "    1 | services.gtp-4.1.replicas=2\n"
                                    "      |          ^~~~~~~\n"},
    {"cleints.web.rate=1/s",
     "--set cleints.web.rate:1:1: error: the scenario has no 'cleints': did you mean 'clients'?\n"
     "    1 | cleints.web.rate=1/s\n"
     "      | ^~~~~~~\n"},
    {"run.duration.x=3", "--set run.duration.x:1:14: error: 'run.duration' is a single value, "
                         "'30min': nothing is below it\n"
                         "    1 | run.duration.x=3\n"
                         "      |              ^\n"},
    {"services.gpt-4.1.calls.x=1",
     "--set services.gpt-4.1.calls.x:1:24: error: 'services.gpt-4.1.calls' is a list of 2: write "
     "an index from 0 to 1, such as services.gpt-4.1.calls.0\n"
     "    1 | services.gpt-4.1.calls.x=1\n"
     "      |                        ^\n"},
    {"services.gpt-4.1.calls[2].to=c",
     "--set services.gpt-4.1.calls[2].to:1:23: error: 'services.gpt-4.1.calls' is a list of 2: "
     "write an index from 0 to 1, such as services.gpt-4.1.calls.0\n"
     "    1 | services.gpt-4.1.calls[2].to=c\n"
     "      |                       ^~~\n"},
    {"services.gpt-4.1.calls[99999999999999999999]=c",
     "--set services.gpt-4.1.calls[99999999999999999999]:1:23: error: 'services.gpt-4.1.calls' is "
     "a list of 2: write an index from 0 to 1, such as services.gpt-4.1.calls.0\n"
     "    1 | services.gpt-4.1.calls[99999999999999999999]=c\n"
     "      |                       ^~~~~~~~~~~~~~~~~~~~~~\n"},
    {"services.gpt-4.1.calls[0=c",
     "--set services.gpt-4.1.calls[0:1:23: error: 'services.gpt-4.1.calls' is a list of 2: write "
     "an index from 0 to 1, such as services.gpt-4.1.calls.0\n"
     "    1 | services.gpt-4.1.calls[0=c\n"
     "      |                       ^\n"},
    {"services.gpt-4.1.calls[1]x=c",
     "--set services.gpt-4.1.calls[1]x:1:23: error: 'services.gpt-4.1.calls' is a list of 2: write "
     "an index from 0 to 1, such as services.gpt-4.1.calls.0\n"
     "    1 | services.gpt-4.1.calls[1]x=c\n"
     "      |                       ^\n"},
    {"services.gpt-4.1.none[0]=c",
     "--set services.gpt-4.1.none[0]:1:22: error: 'services.gpt-4.1.none' is an empty list\n"
     "    1 | services.gpt-4.1.none[0]=c\n"
     "      |                      ^~~\n"},
    {"run[0]=1", "--set run[0]:1:4: error: 'run' is a map: a '.' and a key must follow\n"
                 "    1 | run[0]=1\n"
                 "      |    ^~~\n"},
    {"x.y[0]=1", "--set x.y[0]:1:3: error: there is no list 'y'\n"
                 "    1 | x.y[0]=1\n"
                 "      |   ^\n"},
    {"run.=1", "--set run.:1:5: error: a name is missing here\n"
               "    1 | run.=1\n"
               "      |     ^\n"},
    {"run..x=1", "--set run..x:1:5: error: a name is missing here\n"
                 "    1 | run..x=1\n"
                 "      |     ^\n"},
    {"=5", "--set :1:1: error: a name is missing here\n"
           "    1 | =5\n"
           "      | ^\n"},
    {"run", "--set run:1:4: error: a '=' and a value are missing: write for example run.seed=7\n"
            "    1 | run\n"
            "      |    ^\n"},
    {"run.seed=a: b",
     "--set run.seed:1:10: error: write a map as {key: value} and a list as [a, b]\n"
     "    1 | run.seed=a: b\n"
     "      |          ^\n"},
    {"run.seed=- 1",
     "--set run.seed:1:10: error: write a map as {key: value} and a list as [a, b]\n"
     "    1 | run.seed=- 1\n"
     "      |          ^\n"},
    {"run.seed=[1", "--set run.seed:1:12: error: a ',' or ']' is missing before this\n"
                    "    1 | run.seed=[1\n"
                    "      |            ^\n"
                    "--set run.seed:1:10: note: the '[' is here\n"
                    "    1 | run.seed=[1\n"
                    "      |          ^\n"},
    {"run.seed={a: 1, a: 2}", "--set run.seed:1:17: error: key 'a' is given twice\n"
                              "    1 | run.seed={a: 1, a: 2}\n"
                              "      |                 ^\n"
                              "--set run.seed:1:11: note: first given here\n"
                              "    1 | run.seed={a: 1, a: 2}\n"
                              "      |           ^\n"},
    {"r\xC3\xBCn.s\xC3\xA9"
     "ed=*a",
     "--set r\xC3\xBCn.s\xC3\xA9"
     "ed:1:10: error: no '&a' stands before this\n"
     "    1 | r\xC3\xBCn.s\xC3\xA9"
     "ed=*a\n"
     "      |          ^~\n"},
    {"run.seed=\x1B[31m", "--set run.seed:1:10: error: a character that cannot be in a setting\n"
                          "    1 | run.seed=\\x1B[31m\n"
                          "      |          ^~~~\n"},
    {"run.s\teed=1", "--set run.s\\teed:1:6: error: a character that cannot be in a setting\n"
                     "    1 | run.s\\teed=1\n"
                     "      |      ^~\n"},
    {"run.x=--- 1\xE2\x80\xA8"
     "1",
     "--set run.x:1:12: error: a character that cannot be in a setting\n"
     "    1 | run.x=--- 1\n"
     "      |            ^\n"},
    {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
     "--set "
     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a:1:129: error: more than 64 levels deep\n"
     "    1 | ...a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1\n"
     "      |                                                                ^~~\n"},
};

START_TEST(each_mistake_in_a_setting_is_named_and_changes_nothing) {
    for (size_t i = 0; i < sizeof wrong_sets / sizeof wrong_sets[0]; i++) {
        Diagnostics diagnostics = {0};
        Doc doc = load(&diagnostics, set_sample);
        const DocNode *before = doc.root;
        ck_assert(!doc_set(&doc, wrong_sets[i].assignment, &diagnostics));
        ck_assert_ptr_eq(doc.root, before);
        check_printed(&diagnostics, wrong_sets[i].expected);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

TEST_SUITE("experiments/doc_message", each_mistake_in_a_text_is_named_with_its_place,
           each_mistake_in_a_setting_is_named_and_changes_nothing)
