package phantom

import (
	"halsted/imaging"
	"halsted/internal/par"
)

// Truth labels each voxel by its centre: LabelBody (skin and all within, lungs
// included), LabelBone, LabelLiver (the whole organ with tumours and vessels
// inside), LabelPortalVein and LabelHepaticVein (whole trees, the trunks
// outside the organ included), and LabelTumour+n. It panics on an invalid grid.
func (l *Liver) Truth(g imaging.Grid) *imaging.Segments {
	if err := g.Validate(); err != nil {
		panic("phantom: " + err.Error())
	}
	of := []imaging.Label{imaging.LabelBody, imaging.LabelBone, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein}
	fs := []field{l.a.body, l.a.bone, l.a.liver, l.portal, l.hepatic}
	for n, t := range l.tumours {
		of, fs = append(of, imaging.LabelTumour+imaging.Label(n)), append(fs, t.f)
	}
	out := imaging.NewSegments(g, of...)
	s := newScan(g, nil)
	slice := g.Size[0] * g.Size[1]
	par.Chunks(g.Size[2], 1, func(k0, k1 int) {
		for k := k0; k < k1; k++ {
			s.label(out.Bits[k*slice:(k+1)*slice], fs, k)
		}
	})
	return out
}

// label sets bit b of each voxel of slice k inside fs[b].
func (s *scan) label(bits []uint32, fs []field, k int) {
	nx, ny := s.g.Size[0], s.g.Size[1]
	for j0 := 0; j0 < ny; j0 += s.big {
		for i0 := 0; i0 < nx; i0 += s.big {
			outer := span{i0, j0, min(i0+s.big, nx), min(j0+s.big, ny)}
			open, full := s.sort(fs, 1<<len(fs)-1, outer, k)
			for j1 := outer.j0; j1 < outer.j1; j1 += s.small {
				for i1 := outer.i0; i1 < outer.i1; i1 += s.small {
					b := span{i1, j1, min(i1+s.small, outer.i1), min(j1+s.small, outer.j1)}
					some, whole := uint32(0), uint32(0)
					if open != 0 {
						some, whole = s.sort(fs, open, b, k)
					}
					for j := b.j0; j < b.j1; j++ {
						for i := b.i0; i < b.i1; i++ {
							v := full | whole
							for n, f := range fs {
								if some&(1<<n) == 0 {
									continue
								}
								if e, _ := f(s.g.Point(float64(i), float64(j), float64(k))); e < 0 {
									v |= 1 << n
								}
							}
							bits[i+nx*j] = v
						}
					}
				}
			}
		}
	}
}

// sort says which of the fields in mask may have their surface in a block and
// which cover it.
func (s *scan) sort(fs []field, mask uint32, b span, k int) (open, full uint32) {
	c, r := s.ball(b, k)
	for n, f := range fs {
		if mask&(1<<n) == 0 {
			continue
		}
		switch e, _ := f(c); {
		case e < -r:
			full |= 1 << n
		case e <= r:
			open |= 1 << n
		}
	}
	return open, full
}
