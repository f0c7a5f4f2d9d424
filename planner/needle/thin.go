package needle

import "math"

const shownMost = 7 // as many as a surgeon compares

// notable are the differences that a surgeon would choose by, in the steps of
// the costs: 3 mm of length, 0.5 mm of reserve, 5°, 3 mm of track, 5°.
var notable = [costs]int{costLength: 3, costReserve: 5, costAngle: 5, costTrack: 3, costScan: 5}

// worse reports whether b is nowhere notably better than a, so that there is no
// reason to show it beside a.
func worse(b, a *[costs]uint16) bool {
	for n := range a {
		if int(b[n])+notable[n] < int(a[n]) {
			return false
		}
	}
	return true
}

// Thin picks at most k trajectories of a front that differ: the one nearest to
// the ideal point, with the objectives scaled to their range, then again and
// again the one furthest from all picked that is notably better than each of
// them in something. The result is in the order of the front.
func Thin(front []Trajectory, k int) []Trajectory {
	if len(front) == 0 || k < 1 {
		return nil
	}
	var low, high [costs]float64
	for a := range low {
		low[a], high[a] = math.Inf(1), math.Inf(-1)
		for _, t := range front {
			low[a], high[a] = min(low[a], float64(t.cost[a])), max(high[a], float64(t.cost[a]))
		}
	}
	scaled := make([][costs]float64, len(front))
	first, best := 0, math.Inf(1)
	for n, t := range front {
		s := 0.0
		for a := range low {
			if high[a] > low[a] {
				scaled[n][a] = (float64(t.cost[a]) - low[a]) / (high[a] - low[a])
			}
			s += scaled[n][a] * scaled[n][a]
		}
		if s < best {
			first, best = n, s
		}
	}
	picked := make([]bool, len(front))
	picked[first] = true
	for count := 1; count < k; count++ {
		next, far := -1, 0.0
		for n := range front {
			near := math.Inf(1)
			for m := range front {
				if !picked[m] {
					continue
				}
				if worse(&front[n].cost, &front[m].cost) {
					near = 0
					break
				}
				d := 0.0
				for a := range low {
					d += (scaled[n][a] - scaled[m][a]) * (scaled[n][a] - scaled[m][a])
				}
				near = min(near, d)
			}
			if near > far {
				next, far = n, near
			}
		}
		if next < 0 {
			break
		}
		picked[next] = true
	}
	var out []Trajectory
	for n, t := range front {
		if picked[n] {
			out = append(out, t)
		}
	}
	return out
}
