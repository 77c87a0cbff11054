#include "experiments/profile_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/nearest.h"
#include "experiments/number_parse.h"
#include "sim/check.h"
#include "sim/vec.h"

/* A profile has some 10,000 rows. A curve has a value for each whole number up to its last point:
 * 16 MiB at the most. */
enum { ROW_COUNT_MAX = 1000000, CURVE_NUMBER_MAX = 1 << 20, GRID_NUMBER_MAX = 100000000 };

#define TIME_US_MAX 1e7

#define FILES_OF_A_PROFILE                                                                         \
    "a profile is a directory with dense.csv, attention.csv and per_sequence.csv"

/* ---- Rows */

/* A measured point: up to four numbers, of a layer or of a part of the grid. */
typedef struct ProfileRow {
    uint32_t group;
    uint32_t at[PROFILE_AXES_MAX];
    double time_ps;
    uint64_t line;
} ProfileRow;

typedef struct ProfileLayer {
    const char *name;
    double once, per_layer; /* how often a step, and each transformer layer, runs it */
    bool is_optional;
} ProfileLayer;

/* One of the three files. */
typedef struct ProfileFile {
    const char *name;
    const char *columns[PROFILE_AXES_MAX];
    uint32_t column_count;
    uint64_t number_min, number_max;
    const ProfileLayer *layers; /* NULL: no column `layer` */
    uint32_t layer_count;
} ProfileFile;

typedef struct ProfileReader {
    const ProfileFile *file;
    CsvIn *csv;
    size_t layer_index, time_index, indices[PROFILE_AXES_MAX];
    VEC(ProfileRow) rows;
} ProfileReader;

static const ProfileLayer dense_layers[] = {
    {.name = "embedding", .once = 1},
    {.name = "layernorm", .per_layer = 2}, /* before attention and before the MLP */
    {.name = "qkv_proj", .per_layer = 1},
    {.name = "qk_norm", .per_layer = 1, .is_optional = true}, /* Qwen3 has it, Llama has not */
    {.name = "rotary_emb", .per_layer = 1},
    {.name = "o_proj", .per_layer = 1},
    {.name = "gate_up_proj", .per_layer = 1},
    {.name = "act_fn", .per_layer = 1},
    {.name = "down_proj", .per_layer = 1},
    {.name = "final_layernorm", .once = 1},
};

static const ProfileLayer sequence_layers[] = {
    {.name = "lm_head", .once = 1},
    {.name = "sampler", .once = 1},
};

#define LAYERS(table) .layers = (table), .layer_count = sizeof(table) / sizeof((table)[0])

static const ProfileFile dense_file = {.name = "dense.csv",
                                       .columns = {"tokens"},
                                       .column_count = 1,
                                       .number_min = 1,
                                       .number_max = CURVE_NUMBER_MAX,
                                       LAYERS(dense_layers)};

static const ProfileFile sequence_file = {.name = "per_sequence.csv",
                                          .columns = {"sequences"},
                                          .column_count = 1,
                                          .number_min = 1,
                                          .number_max = CURVE_NUMBER_MAX,
                                          LAYERS(sequence_layers)};

static const ProfileFile attention_file = {
    .name = "attention.csv",
    .columns = {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode"},
    .column_count = 4,
    .number_max = GRID_NUMBER_MAX};

static bool profile_find_columns(ProfileReader *reader, Error *error) {
    const ProfileFile *file = reader->file;
    if (file->layers != NULL && !csv_in_find(reader->csv, "layer", &reader->layer_index, error)) {
        return false;
    }
    for (uint32_t i = 0; i < file->column_count; i++) {
        if (!csv_in_find(reader->csv, file->columns[i], &reader->indices[i], error)) {
            return false;
        }
    }
    return csv_in_find(reader->csv, "time_us", &reader->time_index, error);
}

static bool profile_find_layer(const ProfileReader *reader, const CsvRow *row, uint32_t *layer,
                               Error *error) {
    const ProfileFile *file = reader->file;
    const CsvCell *cell = &row->cells[reader->layer_index];
    Nearest nearest = nearest_begin(cell->text, cell->size);
    for (uint32_t i = 0; i < file->layer_count; i++) {
        if (strcmp(file->layers[i].name, cell->text) == 0) {
            *layer = i;
            return true;
        }
        nearest_offer(&nearest, file->layers[i].name);
    }
    if (nearest.best != NULL) {
        return csv_in_error(reader->csv, row->line, error,
                            "a step has no layer '%.40s'; did you mean '%s'?", cell->text,
                            nearest.best);
    }
    return csv_in_error(reader->csv, row->line, error,
                        "a step has no layer '%.40s': its time would be lost", cell->text);
}

static bool profile_read_row(const ProfileReader *reader, const CsvRow *row, ProfileRow *out,
                             Error *error) {
    const ProfileFile *file = reader->file;
    ProfileRow read = {.line = row->line};
    if (file->layers != NULL && !profile_find_layer(reader, row, &read.group, error)) {
        return false;
    }
    for (uint32_t i = 0; i < file->column_count; i++) {
        const CsvCell *cell = &row->cells[reader->indices[i]];
        uint64_t number;
        if (!number_parse_count(cell->text, cell->size, file->number_max, &number) ||
            number < file->number_min) {
            return csv_in_error(reader->csv, row->line, error,
                                "%s is a whole number from %u to %u, not '%.40s'", file->columns[i],
                                (unsigned)file->number_min, (unsigned)file->number_max, cell->text);
        }
        read.at[i] = (uint32_t)number;
    }
    const CsvCell *cell = &row->cells[reader->time_index];
    double time_us;
    if (!number_parse(cell->text, cell->size, &time_us) || time_us < 0 || time_us > TIME_US_MAX) {
        return csv_in_error(reader->csv, row->line, error,
                            "time_us is a number of microseconds from 0 to %.0f, not '%.40s'",
                            TIME_US_MAX, cell->text);
    }
    read.time_ps = (double)(int64_t)(time_us * 1e6 + 0.5);
    *out = read;
    return true;
}

static int profile_row_order(const void *left, const void *right) {
    const ProfileRow *a = left, *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    for (uint32_t i = 0; i < PROFILE_AXES_MAX; i++) {
        if (a->at[i] != b->at[i]) {
            return a->at[i] < b->at[i] ? -1 : 1;
        }
    }
    return a->line < b->line ? -1 : a->line > b->line;
}

/* "prefill_chunk 16, kv_prefill 0, n_decode 2, kv_decode 32". */
enum { POINT_TEXT_SIZE = 128 };
static const char *profile_print_point(const ProfileFile *file, const uint32_t *at,
                                       char text[POINT_TEXT_SIZE]) {
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < file->column_count; i++) {
        used += (size_t)snprintf(text + used, POINT_TEXT_SIZE - used, "%s%s %u", i == 0 ? "" : ", ",
                                 file->columns[i], at[i]);
        CHECK(used < POINT_TEXT_SIZE);
    }
    return text;
}

/* Orders the rows by group and numbers, and refuses two of the same. */
static bool profile_order_rows(ProfileReader *reader, Error *error) {
    const ProfileRow *rows = reader->rows.items;
    if (reader->rows.count == 0) {
        return csv_in_error(reader->csv, 1, error, "there are no points below the header");
    }
    qsort(reader->rows.items, reader->rows.count, sizeof *rows, profile_row_order);
    for (size_t i = 1; i < reader->rows.count; i++) {
        if (rows[i].group == rows[i - 1].group &&
            memcmp(rows[i].at, rows[i - 1].at, sizeof rows[i].at) == 0) {
            char point[POINT_TEXT_SIZE];
            return csv_in_error(reader->csv, rows[i].line, error,
                                "the point %s is there twice, first in line %llu",
                                profile_print_point(reader->file, rows[i].at, point),
                                (unsigned long long)rows[i - 1].line);
        }
    }
    return true;
}

/* ---- Curves */

static double curve_at(const ProfileRow *rows, size_t count, size_t *from, uint32_t number) {
    while (*from + 2 < count && rows[*from + 1].at[0] <= number) {
        ++*from;
    }
    const ProfileRow *low = &rows[*from], *high = low + 1;
    if (number <= low->at[0]) {
        return low->time_ps;
    }
    double share = (double)(number - low->at[0]) / (high->at[0] - low->at[0]);
    double time_ps = low->time_ps + share * (high->time_ps - low->time_ps);
    return share > 1 && time_ps < high->time_ps ? high->time_ps : (double)(int64_t)(time_ps + 0.5);
}

/* Adds a layer's points, sorted, to the values of the curve. */
static void curve_add(const ProfileLayer *layer, const ProfileRow *rows, size_t count,
                      ProfileCost *costs, ProfileCurve *curve) {
    CHECK(count >= 2);
    size_t from = 0;
    for (uint32_t number = 0; number <= curve->last; number++) {
        double time_ps = curve_at(rows, count, &from, number);
        costs[number].once_ps += layer->once * time_ps;
        costs[number].per_layer_ps += layer->per_layer * time_ps;
    }
    const ProfileRow *last = &rows[count - 1];
    double rise = (last->time_ps - last[-1].time_ps) / (last->at[0] - last[-1].at[0]);
    curve->rise.once_ps += rise > 0 ? layer->once * rise : 0;
    curve->rise.per_layer_ps += rise > 0 ? layer->per_layer * rise : 0;
}

static bool profile_build_curve(ProfileReader *reader, Model *model, ProfileCurve *out,
                                Error *error) {
    const ProfileFile *file = reader->file;
    ProfileCurve curve = {.last = 0};
    for (size_t i = 0; i < reader->rows.count; i++) {
        uint32_t number = reader->rows.items[i].at[0];
        curve.last = number > curve.last ? number : curve.last;
    }
    ProfileCost *costs = model_alloc(model, (size_t)curve.last + 1, sizeof *costs);
    const ProfileRow *rows = reader->rows.items, *end = rows + reader->rows.count;
    for (uint32_t layer = 0; layer < file->layer_count; layer++) {
        const ProfileRow *first = rows;
        while (rows < end && rows->group == layer) {
            rows++;
        }
        size_t count = (size_t)(rows - first);
        if (count == 1) {
            return csv_in_error(reader->csv, first->line, error,
                                "the layer '%s' has one point: two or more are needed to tell how "
                                "time grows with %s",
                                file->layers[layer].name, file->columns[0]);
        }
        if (count > 0) {
            curve_add(&file->layers[layer], first, count, costs, &curve);
        } else if (!file->layers[layer].is_optional) {
            return csv_in_error(reader->csv, 1, error, "no points of the layer '%s' below",
                                file->layers[layer].name);
        }
    }
    curve.costs = costs;
    *out = curve;
    return true;
}

/* ---- Grids */

enum { PART_PREFILL, PART_DECODE, PART_MIXED, PART_COUNT };

/* Which of the three parts of the grid a row of attention.csv belongs to. */
static bool profile_find_part(const ProfileReader *reader, ProfileRow *row, Error *error) {
    const uint32_t *at = row->at;
    bool has_prefill = at[0] > 0, has_decode = at[2] > 0;
    if (!has_prefill && !has_decode) {
        return csv_in_error(reader->csv, row->line, error,
                            "prefill_chunk and n_decode are both 0: such a step does nothing");
    }
    if (!has_prefill && at[1] > 0) {
        return csv_in_error(reader->csv, row->line, error,
                            "kv_prefill is %u where prefill_chunk is 0; 0 was expected", at[1]);
    }
    if (!has_decode && at[3] > 0) {
        return csv_in_error(reader->csv, row->line, error,
                            "kv_decode is %u where n_decode is 0; 0 was expected", at[3]);
    }
    row->group = !has_decode ? PART_PREFILL : !has_prefill ? PART_DECODE : PART_MIXED;
    return true;
}

static int profile_number_order(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* The rows of one part, sorted, and where its columns begin. */
typedef struct GridPart {
    const ProfileRow *rows;
    size_t count;
    uint32_t first_column, axis_count;
    const char *name;
} GridPart;

static GridPart grid_part_find(const ProfileReader *reader, uint32_t part) {
    static const char *const names[PART_COUNT] = {
        "only prefill (n_decode 0)", "only decode (prefill_chunk 0)", "mix prefill and decode"};
    const ProfileRow *rows = reader->rows.items, *end = rows + reader->rows.count;
    while (rows < end && rows->group < part) {
        rows++;
    }
    GridPart found = {.rows = rows,
                      .first_column = part == PART_DECODE ? 2 : 0,
                      .axis_count = part == PART_MIXED ? 4 : 2,
                      .name = names[part]};
    while (rows + found.count < end && rows[found.count].group == part) {
        found.count++;
    }
    return found;
}

/* The distinct numbers of one column, ascending. */
static void axis_build(Model *model, const GridPart *part, uint32_t column, ProfileAxis *axis) {
    uint32_t *numbers = mem_zalloc(part->count, sizeof *numbers);
    for (size_t i = 0; i < part->count; i++) {
        numbers[i] = part->rows[i].at[column];
    }
    qsort(numbers, part->count, sizeof *numbers, profile_number_order);
    size_t distinct = 0;
    for (size_t i = 0; i < part->count; i++) {
        if (distinct == 0 || numbers[distinct - 1] != numbers[i]) {
            numbers[distinct++] = numbers[i];
        }
    }
    double *points = model_alloc(model, distinct, sizeof *points);
    for (size_t i = 0; i < distinct; i++) {
        points[i] = numbers[i];
    }
    mem_free(numbers);
    *axis = (ProfileAxis){.points = points, .count = (uint32_t)distinct};
    for (uint32_t bits = 1, start = 0; bits < PROFILE_BIT_LENGTHS; bits++) {
        double least = (double)(UINT64_C(1) << (bits - 1));
        while (start + 2 < axis->count && points[start + 1] <= least) {
            start++;
        }
        axis->starts[bits] = start;
    }
}

static bool grid_build_axes(const ProfileReader *reader, Model *model, const GridPart *part,
                            ProfileGrid *grid, Error *error) {
    grid->axis_count = part->axis_count;
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        uint32_t column = part->first_column + axis;
        axis_build(model, part, column, &grid->axes[axis]);
        if (grid->axes[axis].count < 2) {
            return csv_in_error(reader->csv, part->rows->line, error,
                                "%s has one value, %u, in all batches that %s: two or more are "
                                "needed to tell how time grows with it",
                                reader->file->columns[column], part->rows->at[column], part->name);
        }
    }
    for (uint32_t axis = grid->axis_count, stride = 1; axis-- > 0;) {
        grid->strides[axis] = stride;
        stride *= grid->axes[axis].count; /* may wrap; then points are missing */
    }
    return true;
}

/* Walks along the grid, its last axis fastest: each row must be the next point. */
static bool grid_fill(const ProfileReader *reader, const GridPart *part, const ProfileGrid *grid,
                      double *times_ps, Error *error) {
    uint32_t place[PROFILE_AXES_MAX] = {0};
    for (size_t i = 0;; i++) {
        uint32_t at[PROFILE_AXES_MAX] = {0};
        for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
            at[part->first_column + axis] = (uint32_t)grid->axes[axis].points[place[axis]];
        }
        if (i == part->count || memcmp(part->rows[i].at, at, sizeof at) != 0) {
            char point[POINT_TEXT_SIZE];
            const ProfileRow *near = &part->rows[i < part->count ? i : i - 1];
            return csv_in_error(reader->csv, near->line, error,
                                "the point %s is missing: each of its numbers stands in other "
                                "rows, and every combination of them is needed",
                                profile_print_point(reader->file, at, point));
        }
        times_ps[i] = part->rows[i].time_ps;
        uint32_t axis = grid->axis_count;
        while (axis > 0 && ++place[axis - 1] == grid->axes[axis - 1].count) {
            place[--axis] = 0;
        }
        if (axis == 0) {
            CHECK(i + 1 == part->count);
            return true;
        }
    }
}

static bool profile_build_grid(const ProfileReader *reader, Model *model, uint32_t which,
                               ProfileGrid *out, Error *error) {
    GridPart part = grid_part_find(reader, which);
    if (part.count == 0) {
        return which == PART_MIXED ||
               csv_in_error(reader->csv, 1, error, "no points of batches that %s below", part.name);
    }
    ProfileGrid grid = {0};
    double *times_ps = model_alloc(model, part.count, sizeof *times_ps);
    grid.times_ps = times_ps;
    if (!grid_build_axes(reader, model, &part, &grid, error) ||
        !grid_fill(reader, &part, &grid, times_ps, error)) {
        return false;
    }
    *out = grid;
    return true;
}

/* ---- Files */

static bool profile_read_rows(ProfileReader *reader, Error *error) {
    CsvRow row = {0};
    for (;;) {
        if (!csv_in_next(reader->csv, &row, error)) {
            return false;
        }
        if (row.cells == NULL) {
            return profile_order_rows(reader, error);
        }
        ProfileRow read = {.line = row.line};
        if (reader->rows.count == ROW_COUNT_MAX) {
            return csv_in_error(reader->csv, row.line, error,
                                "a profile may have %d points in a file at most", ROW_COUNT_MAX);
        }
        if (!profile_read_row(reader, &row, &read, error) ||
            (reader->file->layers == NULL && !profile_find_part(reader, &read, error))) {
            return false;
        }
        vec_push(&reader->rows, read);
    }
}

static bool profile_build(ProfileReader *reader, Model *model, StepProfile *out, Error *error) {
    if (reader->file == &dense_file) {
        return profile_build_curve(reader, model, &out->tokens, error);
    }
    if (reader->file == &sequence_file) {
        return profile_build_curve(reader, model, &out->sequences, error);
    }
    return profile_build_grid(reader, model, PART_PREFILL, &out->prefill, error) &&
           profile_build_grid(reader, model, PART_DECODE, &out->decode, error) &&
           profile_build_grid(reader, model, PART_MIXED, &out->mixed, error);
}

static bool profile_read_file(Model *model, const char *directory, const ProfileFile *file,
                              StepProfile *out, Error *error) {
    size_t size = strlen(directory) + strlen(file->name) + 2;
    char *path = model_alloc(model, size, 1);
    snprintf(path, size, "%s/%s", directory, file->name);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return error_set(error, "'%s' is missing: " FILES_OF_A_PROFILE, path);
    }
    ProfileReader reader = {.file = file, .csv = csv_in_open(path, error)};
    if (reader.csv == NULL) {
        return false;
    }
    bool is_read = profile_find_columns(&reader, error) && profile_read_rows(&reader, error) &&
                   profile_build(&reader, model, out, error);
    vec_free(&reader.rows);
    csv_in_close(reader.csv);
    model_add_file(model, path);
    return is_read;
}

const StepProfile *profile_in_read(Model *model, const char *directory, Error *error) {
    struct stat status;
    if (stat(directory, &status) != 0) {
        error_set(error, "cannot open '%s': %s", directory, strerrordesc_np(errno));
        return NULL;
    }
    if (!S_ISDIR(status.st_mode)) {
        error_set(error, "'%s' is not a directory: " FILES_OF_A_PROFILE, directory);
        return NULL;
    }
    StepProfile *profile = model_alloc(model, 1, sizeof *profile);
    bool is_read = profile_read_file(model, directory, &dense_file, profile, error) &&
                   profile_read_file(model, directory, &attention_file, profile, error) &&
                   profile_read_file(model, directory, &sequence_file, profile, error);
    return is_read ? profile : NULL;
}
