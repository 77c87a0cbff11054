#include "tests/models/reference_engine.h"

#include <stdlib.h>

#include "sim/check.h"

#define NO_BLOCK UINT32_MAX

typedef struct Block {
    uint64_t hash;     /* of what can be found in it; 0: nothing */
    uint32_t holders;  /* 0: it is free */
    uint64_t freed_at; /* counts what happens: a larger one is later */
} Block;

typedef struct List {
    ReferenceRequest **items;
    size_t count;
} List;

typedef struct Scheduler {
    const ReferenceSettings *settings;
    ReferenceTotals *totals;
    Block *blocks;
    uint64_t happened;
    List waiting, running;
    SimTime now;
    uint32_t budget;
    bool has_preempted;
} Scheduler;

/* ---- Lists */

static void list_put(List *list, size_t at, ReferenceRequest *request) {
    for (size_t i = list->count++; i > at; i--) {
        list->items[i] = list->items[i - 1];
    }
    list->items[at] = request;
}

static void list_take(List *list, size_t at) {
    list->count--;
    for (size_t i = at; i < list->count; i++) {
        list->items[i] = list->items[i + 1];
    }
}

/* ---- Blocks */

static uint32_t blocks_for(const Scheduler *s, uint32_t tokens) {
    return (tokens + s->settings->block_size - 1) / s->settings->block_size;
}

static uint32_t free_count(const Scheduler *s) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->settings->kv_blocks; i++) {
        count += s->blocks[i].holders == 0;
    }
    return count;
}

/* The one that has been free for longest. */
static uint32_t take_block(Scheduler *s) {
    uint32_t found = NO_BLOCK;
    for (uint32_t i = 0; i < s->settings->kv_blocks; i++) {
        if (s->blocks[i].holders == 0 &&
            (found == NO_BLOCK || s->blocks[i].freed_at < s->blocks[found].freed_at)) {
            found = i;
        }
    }
    CHECK(found != NO_BLOCK);
    s->blocks[found].hash = 0;
    s->blocks[found].holders = 1;
    return found;
}

static uint32_t find_block(const Scheduler *s, uint64_t hash) {
    for (uint32_t i = 0; i < s->settings->kv_blocks; i++) {
        if (s->blocks[i].hash == hash) {
            return i;
        }
    }
    return NO_BLOCK;
}

static void free_block(Scheduler *s, uint32_t block) {
    CHECK(s->blocks[block].holders > 0);
    if (--s->blocks[block].holders == 0) {
        s->blocks[block].freed_at = ++s->happened;
    }
}

/* The last first, so that the start of a text can be found for longest. */
static void free_blocks(Scheduler *s, ReferenceRequest *r) {
    while (r->block_count > 0) {
        free_block(s, r->blocks[--r->block_count]);
    }
}

/* What is in a full block can be found from now on. If that can be found elsewhere it is held there
 * and not twice. */
static void publish(Scheduler *s, ReferenceRequest *r, uint32_t index) {
    uint32_t block = r->blocks[index], other = find_block(s, r->hashes[index]);
    if (other == block) {
        return;
    }
    if (other == NO_BLOCK) {
        s->blocks[block].hash = r->hashes[index];
        return;
    }
    s->blocks[other].holders++;
    r->blocks[index] = other;
    free_block(s, block);
}

static void schedule(Scheduler *s, ReferenceRequest *r, uint32_t count) {
    CHECK(count > 0 && count <= s->budget);
    while (r->block_count < blocks_for(s, r->computed + count)) {
        r->blocks[r->block_count++] = take_block(s);
    }
    uint32_t full = (r->computed + count) / s->settings->block_size;
    for (uint32_t i = 0; i < full && s->settings->enable_prefix_caching; i++) {
        publish(s, r, i);
    }
    r->scheduled = count;
    s->budget -= count;
}

/* ---- A: who runs */

static bool goes_before(const Scheduler *s, const ReferenceRequest *a, const ReferenceRequest *b) {
    bool is_by_priority = s->settings->is_by_priority && a->priority != b->priority;
    return is_by_priority ? a->priority < b->priority : a->number < b->number;
}

static size_t find_victim(const Scheduler *s) {
    size_t victim = s->running.count - 1;
    for (size_t i = 0; s->settings->is_by_priority && i < s->running.count; i++) {
        if (goes_before(s, s->running.items[victim], s->running.items[i])) {
            victim = i;
        }
    }
    return victim;
}

static void preempt(Scheduler *s, size_t place) {
    ReferenceRequest *r = s->running.items[place];
    s->budget += r->scheduled;
    r->scheduled = 0;
    free_blocks(s, r);
    r->lost = r->computed;
    r->computed = 0;
    r->has_caught_up = false;
    r->preemption_count++;
    s->totals->preemption_count++;
    s->has_preempted = true;
    list_take(&s->running, place);
    list_put(&s->waiting, 0, r);
}

static uint32_t tokens_to_compute(const Scheduler *s, const ReferenceRequest *r) {
    uint32_t count = r->known - r->computed, most = s->settings->max_model_len - 1 - r->computed;
    uint32_t threshold = s->settings->long_prefill_token_threshold;
    count = threshold > 0 && threshold < count ? threshold : count;
    count = count < s->budget ? count : s->budget;
    return count < most ? count : most;
}

static void schedule_running(Scheduler *s) {
    for (size_t i = 0; i < s->running.count && s->budget > 0; i++) {
        ReferenceRequest *r = s->running.items[i];
        uint32_t count = tokens_to_compute(s, r);
        if (count == 0) {
            continue;
        }
        while (blocks_for(s, r->computed + count) - r->block_count > free_count(s)) {
            size_t place = find_victim(s);
            bool is_itself = s->running.items[place] == r;
            i -= place < i;
            preempt(s, place);
            if (is_itself) {
                return;
            }
        }
        schedule(s, r, count);
    }
}

/* ---- B: who waits */

/* The blocks that hold the start of its text, as many as there are in the cache. */
static uint32_t find_hits(const Scheduler *s, const ReferenceRequest *r, uint32_t *hits) {
    uint32_t count = 0;
    while (s->settings->enable_prefix_caching && count < (r->known - 1) / s->settings->block_size) {
        uint32_t block = find_block(s, r->hashes[count]);
        if (block == NO_BLOCK) {
            break;
        }
        hits[count++] = block;
    }
    return count;
}

/* Whether there are free blocks for so many tokens of a request besides those that were found; what
 * was found in free blocks takes these, too. */
static bool has_room(const Scheduler *s, uint32_t tokens, const uint32_t *hits, uint32_t count) {
    uint32_t needed = blocks_for(s, tokens) - count;
    for (uint32_t i = 0; i < count; i++) {
        needed += s->blocks[hits[i]].holders == 0;
    }
    return needed <= free_count(s);
}

static bool admit(Scheduler *s, ReferenceRequest *r) {
    const ReferenceSettings *settings = s->settings;
    uint32_t *hits = r->blocks; /* it holds none yet */
    uint32_t hit_count = find_hits(s, r, hits), hit = hit_count * settings->block_size;
    uint32_t count = r->known - hit, threshold = settings->long_prefill_token_threshold;
    count = threshold > 0 && threshold < count ? threshold : count;
    if (!settings->enable_chunked_prefill && count > s->budget) {
        return false;
    }
    count = count < s->budget ? count : s->budget;
    if ((settings->scheduler_reserve_full_isl && !has_room(s, r->known, hits, hit_count)) ||
        !has_room(s, hit + count, hits, hit_count)) {
        return false;
    }
    for (uint32_t i = 0; i < hit_count; i++) {
        s->blocks[hits[i]].holders++;
    }
    r->block_count = hit_count;
    r->computed = hit;
    schedule(s, r, count);
    if (r->preemption_count == 0) {
        r->hit_count = hit;
        hist_record(&s->totals->wait, s->now - r->arrived_at);
    } else {
        s->totals->recomputed_count += r->lost > hit ? r->lost - hit : 0;
    }
    return true;
}

static size_t find_head(const Scheduler *s) {
    size_t head = 0;
    for (size_t i = 1; s->settings->is_by_priority && i < s->waiting.count; i++) {
        if (goes_before(s, s->waiting.items[i], s->waiting.items[head])) {
            head = i;
        }
    }
    return head;
}

static void schedule_waiting(Scheduler *s) {
    while (s->waiting.count > 0 && s->budget > 0 && s->running.count < s->settings->max_num_seqs) {
        size_t head = find_head(s);
        ReferenceRequest *r = s->waiting.items[head];
        if (!admit(s, r)) {
            return;
        }
        list_take(&s->waiting, head);
        list_put(&s->running, s->running.count, r);
    }
}

/* ---- C: the step */

static StepLoad load_of(const Scheduler *s) {
    StepLoad load = {0};
    for (size_t i = 0; i < s->running.count; i++) {
        const ReferenceRequest *r = s->running.items[i];
        uint64_t n = r->scheduled, context = r->computed;
        if (n > 0 && r->has_caught_up) {
            load.decode_sequences++;
            load.decode_context += context;
        } else if (n > 0) {
            load.prefill_sequences++;
            load.prefill_tokens += (uint32_t)n;
            load.prefill_context += context;
            load.prefill_cross += n * context;
            load.prefill_squares += n * n;
        }
    }
    return load;
}

static void count_step(Scheduler *s, const StepLoad *load, SimTime duration) {
    ReferenceTotals *totals = s->totals;
    uint32_t size = load->prefill_sequences + load->decode_sequences;
    totals->step_count++;
    totals->sequence_count += size;
    totals->full_step_count += s->has_preempted || s->budget == 0 || s->waiting.count > 0 ||
                               s->running.count == s->settings->max_num_seqs;
    totals->prefill_count += load->prefill_tokens;
    totals->block_ns += (__int128)(s->settings->kv_blocks - free_count(s)) * duration;
}

static void yield_token(Scheduler *s, ReferenceRequest *r) {
    r->has_caught_up = true;
    r->known++;
    s->totals->output_count++;
    if (r->first_token_at == 0) {
        r->first_token_at = s->now;
        hist_record(&s->totals->first_token, s->now - r->arrived_at);
    } else {
        hist_record(&s->totals->gap, s->now - r->last_token_at);
    }
    r->last_token_at = s->now;
}

static void finish(Scheduler *s, ReferenceRequest *r) {
    uint32_t answer = r->known - r->prompt;
    r->ended_at = s->now;
    hist_record(&s->totals->latency, s->now - r->arrived_at);
    if (answer > 1) {
        hist_record(&s->totals->per_token, (s->now - r->first_token_at) / (answer - 1));
    }
    free_blocks(s, r);
}

static void advance(Scheduler *s) {
    for (size_t i = 0; i < s->running.count;) {
        ReferenceRequest *r = s->running.items[i];
        r->computed += r->scheduled;
        r->computed_count += r->scheduled;
        if (r->scheduled > 0 && r->computed == r->known) {
            yield_token(s, r);
        }
        r->scheduled = 0;
        if (r->known == r->prompt + r->answer || r->known == s->settings->max_model_len) {
            finish(s, r);
            list_take(&s->running, i);
        } else {
            i++;
        }
    }
}

/* ---- All */

static void prepare(const ReferenceSettings *settings, ReferenceRequest *r, size_t number) {
    uint32_t tokens = r->prompt + r->answer;
    r->number = number;
    r->known = r->prompt;
    r->hashes = calloc(tokens, sizeof *r->hashes);
    r->blocks = calloc(settings->kv_blocks, sizeof *r->blocks);
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* as FNV-1a, with better mixing */
    for (uint32_t i = 0; i < tokens; i++) {
        hash = (hash ^ r->text[i]) * UINT64_C(0x9FB21C651E98DF25);
        hash ^= hash >> 29;
        if ((i + 1) % settings->block_size == 0) {
            r->hashes[i / settings->block_size] = hash | 1;
        }
    }
}

/* Who has arrived waits, or is turned away. */
static size_t arrive(Scheduler *s, ReferenceRequest **requests, size_t count, size_t arrived) {
    for (; arrived < count && requests[arrived]->arrived_at <= s->now; arrived++) {
        ReferenceRequest *r = requests[arrived];
        if (r->prompt >= s->settings->max_model_len) {
            r->is_rejected = true;
            r->ended_at = r->arrived_at;
            s->totals->rejected_count++;
        } else {
            list_put(&s->waiting, s->waiting.count, r);
        }
    }
    return arrived;
}

static void run(Scheduler *s, ReferenceRequest **requests, size_t count) {
    int64_t now_ps = 0;
    size_t arrived = 0;
    for (;;) {
        arrived = arrive(s, requests, count, arrived);
        if (s->waiting.count == 0 && s->running.count == 0) {
            if (arrived == count) {
                return;
            }
            s->now = requests[arrived]->arrived_at;
            now_ps = s->now * PICOSECONDS_PER_NS;
            continue;
        }
        s->budget = s->settings->max_num_batched_tokens;
        s->has_preempted = false;
        schedule_running(s);
        if (!s->has_preempted) {
            schedule_waiting(s);
        }
        StepLoad load = load_of(s);
        if (load.prefill_sequences + load.decode_sequences > 0) {
            now_ps += s->settings->step->duration_ps(s->settings->step_params, &load);
            SimTime before = s->now;
            s->now = now_ps / PICOSECONDS_PER_NS;
            count_step(s, &load, s->now - before);
            advance(s);
        } else {
            CHECK(s->has_preempted); /* an empty step takes no time: on with the next */
        }
    }
}

void reference_run(const ReferenceSettings *settings, ReferenceRequest **requests, size_t count,
                   ReferenceTotals *totals) {
    Scheduler s = {.settings = settings, .totals = totals};
    s.blocks = calloc(settings->kv_blocks, sizeof *s.blocks);
    s.waiting.items = calloc(count, sizeof *s.waiting.items);
    s.running.items = calloc(count, sizeof *s.running.items);
    for (uint32_t i = 0; i < settings->kv_blocks; i++) {
        s.blocks[i].freed_at = ++s.happened;
    }
    for (size_t i = 0; i < count; i++) {
        prepare(settings, requests[i], i);
    }
    run(&s, requests, count);
    for (size_t i = 0; i < count; i++) {
        free(requests[i]->hashes);
        free(requests[i]->blocks);
    }
    free(s.blocks);
    free(s.waiting.items);
    free(s.running.items);
}
