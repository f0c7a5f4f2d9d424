package fem

import (
	"math"
	"slices"

	"halsted/mesh"
)

// Bounds of the settings: beyond them a solve would not end, or its increments
// would fall below the rounding of the time.
const (
	maxCutbacks   = 30
	maxIterations = 1_000_000
)

// checkFor refuses settings that do not go with the model, which has passed
// check.
func (s *Settings) checkFor(m *Model) error {
	n := len(m.Mesh.Nodes)
	if s.Guess != nil && len(s.Guess) != n {
		return badInput("Settings.Guess", "has %d entries for %d nodes; give one for each or none", len(s.Guess), n)
	}
	for v, u := range s.Guess {
		if !finiteVec(u) {
			return badInput("Settings.Guess", "moves node %d by %v mm; must be finite", v, u)
		}
	}
	if g := len(s.Guesses); g > 0 && g != len(m.history()) {
		return badInput("Settings.Guesses", "has %d entries for %d stages; give one for each or none", g, len(m.history()))
	}
	for i, g := range s.Guesses {
		if g != nil && len(g) != n {
			return badInput("Settings.Guesses", "entry %d has %d entries for %d nodes; give one for each or nil", i, len(g), n)
		}
		for v, u := range g {
			if !finiteVec(u) {
				return badInput("Settings.Guesses", "entry %d moves node %d by %v mm; must be finite", i, v, u)
			}
		}
	}
	if s.Resume != nil {
		return s.Resume.check(m)
	}
	return nil
}

// check refuses a checkpoint of another model, or one that was damaged.
func (c *Checkpoint) check(m *Model) error {
	n, size, stages := len(m.Mesh.Nodes), 3*len(m.Mesh.Nodes), len(m.history())
	good := func(u []float64, length int) bool { return (length < 0 || len(u) == length) && finite(u...) }
	ok := c.Nodes == n && (c.Mesh == 0 || c.Mesh == fingerprint(m.Mesh)) && c.Stages == stages && c.Stage >= 0 && c.Stage < stages && c.Part >= 0 && c.Part <= 1 && c.Steps >= 0 && finite(c.ActFrom) &&
		good(c.U, size) && good(c.BarFrom, size) && good(c.ExtFrom, size) && good(c.History, -1) && len(c.Starts) == c.Stage && len(c.Past) > 0
	for _, u := range c.Starts {
		ok = ok && good(u, size)
	}
	last := math.Inf(-1)
	for _, p := range c.Past {
		ok = ok && good(p.U, size) && p.Part > last && p.Part <= 1
		last = p.Part
	}
	for _, t := range c.Terms {
		ok = ok && good(t, -1)
	}
	if !ok || !slices.Equal(c.Past[len(c.Past)-1].U, c.U) {
		return badInput("Settings.Resume", "is not a checkpoint of this model (%d nodes, %d stages); give the one that its solve returned", n, stages)
	}
	return nil
}

// fingerprint tells meshes apart: FNV-1a, by words, over places, elements and
// regions. It is never 0.
func fingerprint(m *mesh.TetMesh) uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211; h ^= h >> 29 }
	for _, p := range m.Nodes {
		add(math.Float64bits(p.X))
		add(math.Float64bits(p.Y))
		add(math.Float64bits(p.Z))
	}
	for e, t := range m.Tets {
		for _, v := range t {
			add(uint64(v))
		}
		add(uint64(m.Region[e]))
	}
	for _, t := range m.Mid {
		for _, v := range t {
			add(uint64(v))
		}
	}
	return max(h, 1)
}
