/* An inference server in trouble: faults that befall it, and what its callers and the numbers make
 * of them. Steps take the same time whatever is in them, so that every instant is known by heart.
 */
#include <stdio.h>

#include "tests/models/story.h"

static const TraceArrival one[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 3}};

START_TEST(a_slow_replica_takes_longer_for_each_step_however_long_that_is) {
    StoryRun run =
        story_run("run: {duration: 100h, sample_every: 1h}\n"
                  "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                  "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: {base: "
                  "1h}}}}}}\n"
                  "faults: [{at: 0s, slow: {service: llm, x: 2.5}}]\n",
                  STORY_TRACE(one));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_latency_mean), 3 * 2.5 * 3600);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/engine_story", a_slow_replica_takes_longer_for_each_step_however_long_that_is)
