#include "experiments/csv_out.h"

#include "experiments/number_print.h"
#include "sim/check.h"

/* Room for a cell of `size` bytes with the comma before it; what follows the comma is returned. */
static char *csv_out_begin_cell(CsvOut *csv, size_t size) {
    CHECK(csv->cell_count < csv->column_count);
    char *room = file_out_room(csv->file, size + 1);
    if (csv->cell_count++ > 0) {
        *room = ',';
        file_out_used(csv->file, 1);
        room++;
    }
    return room;
}

static void csv_out_end_cell(CsvOut *csv, size_t size) {
    file_out_used(csv->file, size);
    csv->is_blank = csv->is_blank && size == 0;
}

/* A quote in every quoted text is doubled. Texts may be longer than the room at once, so bytes go
 * through file_out_write in runs between quotes. */
static void csv_out_quoted(FileOut *file, const char *text) {
    file_out_write(file, "\"", 1);
    for (const char *quote; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
        file_out_write(file, text, (size_t)(quote - text) + 1);
        file_out_write(file, "\"", 1);
    }
    file_out_write(file, text, strlen(text));
    file_out_write(file, "\"", 1);
}

void csv_out_text(CsvOut *csv, const char *text) {
    csv_out_begin_cell(csv, 0);
    if (text == NULL || text[0] == '\0') {
        return;
    }
    csv->is_blank = false;
    size_t plain = strcspn(text, ",\"\r\n");
    if (text[plain] == '\0') {
        file_out_write(csv->file, text, plain);
    } else {
        csv_out_quoted(csv->file, text);
    }
}

void csv_out_count(CsvOut *csv, uint64_t value) {
    char *room = csv_out_begin_cell(csv, NUMBER_TEXT_SIZE);
    csv_out_end_cell(csv, number_print_count(room, value));
}

void csv_out_int(CsvOut *csv, int64_t value) {
    char *room = csv_out_begin_cell(csv, NUMBER_TEXT_SIZE + 1);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *room = '-';
    size_t sign_size = value < 0;
    csv_out_end_cell(csv, sign_size + number_print_count(room + sign_size, magnitude));
}

void csv_out_double(CsvOut *csv, double value) {
    char *room = csv_out_begin_cell(csv, NUMBER_TEXT_SIZE);
    csv_out_end_cell(csv, number_print(room, value));
}

void csv_out_missing(CsvOut *csv) {
    csv_out_begin_cell(csv, 0);
}

/* A row of one empty cell would be a blank line, which readers skip: it is written as "". */
void csv_out_end_row(CsvOut *csv) {
    CHECK(csv->cell_count == csv->column_count);
    FileOut *file = csv->file;
    if (csv->is_blank && csv->column_count == 1) {
        file_out_write(file, "\"\"", 2);
    }
    file_out_write(file, "\n", 1);
    csv->is_blank = true;
    file->row_count++;
    csv->cell_count = 0;
}

bool csv_out_open(CsvOut *csv, const OutDir *dir, const char *name, const char *const *columns,
                  size_t column_count, Error *error) {
    CHECK(column_count > 0);
    FileOut *file = file_out_open(dir, name, error);
    if (file == NULL) {
        return false;
    }
    *csv = (CsvOut){.file = file, .column_count = column_count, .is_blank = true};
    for (size_t i = 0; i < column_count; i++) {
        csv_out_text(csv, columns[i]);
    }
    csv_out_end_row(csv);
    file->row_count = 0;
    return true;
}

bool csv_out_finish(CsvOut *csv, FileFacts *facts, Error *error) {
    CHECK(csv->cell_count == 0);
    FileOut *file = csv->file;
    csv->file = NULL;
    return file_out_finish(file, facts, error);
}

void csv_out_abandon(CsvOut *csv) {
    file_out_abandon(csv->file);
    csv->file = NULL;
}
