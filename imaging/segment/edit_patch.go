package segment

import (
	"halsted/imaging"
)

// Patch is what an edit changed: for each voxel the bits that flipped, as runs
// along the storage order. It takes memory for what changed alone, and Apply and
// Revert restore the masks bit by bit.
type Patch struct {
	Box     imaging.Box     // holds every voxel that changed; empty when none did
	Opened  []imaging.Label // structures that were new, in the order of their bits
	Voxels  int             // voxels that changed
	Added   int             // voxels that joined the structure edited
	Removed int             // voxels that left it

	runs []patchRun
}

// patchRun is n voxels from at on whose bits flip.
type patchRun struct {
	at   int
	n    uint32
	flip uint32
}

// Bytes is the memory that the patch holds.
func (p *Patch) Bytes() int { return 16*len(p.runs) + len(p.Opened) + 128 }

// Apply makes the change again, on the masks as they were before it.
func (p *Patch) Apply(s *imaging.Segments) {
	s.Of = append(s.Of[:len(s.Of):len(s.Of)], p.Opened...)
	p.flip(s)
}

// Revert takes the change back, on the masks as it left them.
func (p *Patch) Revert(s *imaging.Segments) {
	p.flip(s)
	s.Of = s.Of[:len(s.Of)-len(p.Opened)]
}

func (p *Patch) flip(s *imaging.Segments) {
	for _, r := range p.runs {
		for n := range s.Bits[r.at : r.at+int(r.n)] {
			s.Bits[r.at+n] ^= r.flip
		}
	}
}

// open gives a structure its bit. It reports false when there is none left.
func (p *Patch) open(s *imaging.Segments, l imaging.Label) (bit uint32, ok bool) {
	if b := s.Bit(l); b != 0 {
		return b, true
	}
	if len(s.Of) >= 32 {
		return 0, false
	}
	s.Of = append(s.Of[:len(s.Of):len(s.Of)], l)
	p.Opened = append(p.Opened, l)
	return s.Bit(l), true
}

// set writes the bits of voxel n.
func (p *Patch) set(s *imaging.Segments, n int, bits uint32) {
	flip := s.Bits[n] ^ bits
	if flip == 0 {
		return
	}
	s.Bits[n] = bits
	i, j, k := s.Grid.IJK(n)
	if p.Voxels == 0 {
		p.Box = imaging.Box{Lo: [3]int{i, j, k}, Hi: [3]int{i + 1, j + 1, k + 1}}
	}
	for a, x := range [3]int{i, j, k} {
		p.Box.Lo[a], p.Box.Hi[a] = min(p.Box.Lo[a], x), max(p.Box.Hi[a], x+1)
	}
	p.Voxels++
	if len(p.runs) > 0 {
		if r := &p.runs[len(p.runs)-1]; r.at+int(r.n) == n && r.flip == flip && r.n < 1<<31 {
			r.n++
			return
		}
	}
	p.runs = append(p.runs, patchRun{n, 1, flip})
}

// put sets or clears one bit of voxel n.
func (p *Patch) put(s *imaging.Segments, n int, bit uint32, in bool) {
	switch was := s.Bits[n]&bit != 0; {
	case in && !was:
		p.Added++
		p.set(s, n, s.Bits[n]|bit)
	case !in && was:
		p.Removed++
		p.set(s, n, s.Bits[n]&^bit)
	}
}
