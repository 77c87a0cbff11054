#include "experiments/report.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#include "experiments/report_parts.h"
#include "experiments/report_style.h"
#include "sim/check.h"

enum { PICTURE_SIZE_MAX = 4 << 20 };

/* Only the one style sheet below may be used: its hash stands in the policy. */
static void write_policy(Text *page) {
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hash[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";
    sha256_init(&sha);
    sha256_update(&sha, sizeof REPORT_STYLE - 1, (const uint8_t *)REPORT_STYLE);
    sha256_digest(&sha, sizeof digest, digest);
    base64_encode_raw(hash, sizeof digest, digest);
    html_raw(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'sha256-");
    html_raw(page, hash);
    html_raw(page, "'; base-uri 'none'; form-action 'none'\">\n");
}

static void write_opening(Text *page, const ReportData *data) {
    html_raw(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    write_policy(page);
    html_raw(page, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_text(page, run_files_text(data->files, "title"));
    html_raw(page, " – knockon</title>\n<style>");
    html_raw(page, REPORT_STYLE);
    html_raw(page, "</style>\n</head>\n<body>\n<main>\n");
}

static void write_page(Text *page, const ReportData *data) {
    write_opening(page, data);
    report_write_head(page, data);
    report_write_verdict(page, data);
    report_write_facts(page, data);
    report_write_picture(page, data, PICTURE_LOAD, NULL);
    report_write_objectives(page, data);
    report_write_cascade(page, data);
    if (data->pictures[PICTURE_LATENCY].count > 0) {
        report_write_picture(page, data, PICTURE_LATENCY, "Latency");
    }
    if (data->pictures[PICTURE_SERVICES].count > 0) {
        report_write_picture(page, data, PICTURE_SERVICES, "Services");
    }
    report_write_inference(page, data);
    report_write_components(page, data);
    report_write_replications(page, data);
    report_write_scenario(page, data);
    report_write_rules(page);
    report_write_files(page, data);
    html_raw(page, "</main>\n</body>\n</html>\n");
}

/* A picture that is not there, or not one of ours, is left out. */
static void read_picture(const char *directory, Picture picture, Text *out) {
    char *path = path_join(directory, picture_file(picture));
    FILE *file = fopen(path, "rbe");
    char buffer[65536];
    size_t size;
    mem_free(path);
    if (file == NULL) {
        return;
    }
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0 && out->count <= PICTURE_SIZE_MAX) {
        text_append(out, buffer, size);
    }
    fclose(file);
    if (out->count > PICTURE_SIZE_MAX || out->count < 4 || memcmp(out->items, "<svg", 4) != 0) {
        vec_free(out);
    }
}

static bool write_file(const OutDir *dir, const Text *page, Error *error) {
    FileOut *file = file_out_open(dir, "report.html", error);
    if (file == NULL) {
        return false;
    }
    file_out_write(file, page->items, page->count);
    return file_out_finish(file, NULL, error);
}

bool report_make(const OutDir *dir, const char *no_pictures, Error *error) {
    RunFiles files;
    if (!run_files_read(&files, dir->path, error)) {
        return false;
    }
    ReportFacts facts = report_facts_make(&files);
    ReportData data = {
        .files = &files, .facts = &facts, .out_path = dir->path, .no_pictures = no_pictures};
    for (uint32_t i = 0; i < PICTURE_COUNT && no_pictures == NULL; i++) {
        read_picture(dir->path, (Picture)i, &data.pictures[i]);
    }
    Text page = {0};
    write_page(&page, &data);
    bool is_fine = write_file(dir, &page, error);
    vec_free(&page);
    for (uint32_t i = 0; i < PICTURE_COUNT; i++) {
        vec_free(&data.pictures[i]);
    }
    report_facts_free(&facts);
    run_files_free(&files);
    return is_fine;
}
