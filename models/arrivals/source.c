#include "models/arrivals/arrivals.h"
#include "sim/check.h"

SimTime source_after(Source *source, double gap_s) {
    CHECK(gap_s >= 0);
    if (source->load->is_one) {
        return source->now + time_from_s(gap_s);
    }
    double at_s = load_advance(source->load, source->cursor, time_to_s(source->now), gap_s);
    if (!(at_s < SIM_TIME_S_MAX)) {
        return SIM_TIME_NEVER;
    }
    SimTime at = time_from_s(at_s);
    return at < source->now ? source->now : at;
}
