#include "models/inference_steps/profile.h"

#include <stdbool.h>
#include <stddef.h>

#include "sim/check.h"

ProfileCost profile_curve_at(const ProfileCurve *curve, uint32_t number) {
    DCHECK(curve->costs != NULL);
    if (number <= curve->last) {
        return curve->costs[number];
    }
    const ProfileCost *last = &curve->costs[curve->last];
    double beyond = number - curve->last;
    return (ProfileCost){last->once_ps + beyond * curve->rise.once_ps,
                         last->per_layer_ps + beyond * curve->rise.per_layer_ps};
}

/* A place on an axis: `share` of the way from the point `index` to the next, 0 to 1 on the grid. */
typedef struct AxisPlace {
    uint32_t index;
    double share;
} AxisPlace;

static AxisPlace profile_axis_find(const ProfileAxis *axis, double at) {
    const double *points = axis->points;
    DCHECK(axis->count >= 2 && at >= 0 && at < 4294967296.0);
    if (at <= points[0]) {
        return (AxisPlace){0, 0};
    }
    uint32_t last = axis->count - 1;
    uint32_t index = last - 1;
    if (at < points[last]) {
        uint32_t whole = (uint32_t)at;
        index = axis->starts[whole == 0 ? 0 : 32 - __builtin_clz(whole)];
        while (points[index + 1] <= at) {
            index++;
        }
    }
    double gap = points[index + 1] - points[index];
    return (AxisPlace){index, (at - points[index]) / gap};
}

/* Linear along each axis, between the corners of the cell that begins at `origin`. */
static double profile_grid_blend(const ProfileGrid *grid, uint32_t origin, const double *shares) {
    double values[1 << PROFILE_AXES_MAX];
    uint32_t offsets[1 << PROFILE_AXES_MAX] = {origin};
    uint32_t count = 1;
    DCHECK(grid->axis_count <= PROFILE_AXES_MAX);
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        for (uint32_t i = 0; i < count; i++) {
            offsets[count + i] = offsets[i] + grid->strides[axis];
        }
        count *= 2;
    }
    for (uint32_t i = 0; i < count; i++) {
        values[i] = grid->times_ps[offsets[i]];
    }
    for (uint32_t axis = grid->axis_count; axis-- > 0;) {
        count /= 2;
        for (uint32_t i = 0; i < count; i++) {
            values[i] += shares[axis] * (values[count + i] - values[i]);
        }
    }
    return values[0];
}

double profile_grid_at(const ProfileGrid *grid, const double *coordinates) {
    double shares[PROFILE_AXES_MAX];
    uint32_t origin = 0;
    bool is_beyond = false;
    CHECK(grid->axis_count > 0);
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        AxisPlace place = profile_axis_find(&grid->axes[axis], coordinates[axis]);
        origin += place.index * grid->strides[axis];
        shares[axis] = place.share;
        is_beyond = is_beyond || place.share > 1;
    }
    double time_ps = profile_grid_blend(grid, origin, shares);
    if (!is_beyond) {
        return time_ps;
    }
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        shares[axis] = shares[axis] > 1 ? 1 : shares[axis];
    }
    double edge_ps = profile_grid_blend(grid, origin, shares);
    return time_ps > edge_ps ? time_ps : edge_ps;
}
