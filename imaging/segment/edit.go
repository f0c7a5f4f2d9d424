package segment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// EditVersion is the version of Edit that is written and read.
const EditVersion = 1

// EditKind is what an edit does.
type EditKind string

// The kinds of edits, and the fields each uses beside Label.
const (
	EditRefine  EditKind = "refine"  // Refine: Inside, Outside, ReachMM (0 for DefaultReachMM)
	EditPaint   EditKind = "paint"   // a ball brush adds: Path, RadiusMM
	EditErase   EditKind = "erase"   // a ball brush takes away: Path, RadiusMM
	EditRelabel EditKind = "relabel" // becomes To: the pieces that Path meets, or all of it without a Path
	EditFill    EditKind = "fill"    // holes become part of it
)

// Edit is one correction of the masks by a person: a value that can be stored
// and made again. Points are LPS mm.
type Edit struct {
	Version  int          `json:"version"`
	Parent   string       `json:"parent"` // hash of the state it was made on
	Do       EditKind     `json:"do"`
	Label    string       `json:"label"`
	To       string       `json:"to,omitempty"`
	Inside   [][3]float64 `json:"inside,omitempty"`
	Outside  [][3]float64 `json:"outside,omitempty"`
	Path     [][3]float64 `json:"path,omitempty"` // of the brush: its middle runs straight from point to point
	RadiusMM float64      `json:"radius_mm,omitempty"`
	ReachMM  float64      `json:"reach_mm,omitempty"`
}

// Bounds of the brush and of coordinates.
const (
	LeastBrushMM = 0.1
	MostBrushMM  = 100
	mostPlaceMM  = 1e5
)

// Points are the LPS points of an edit.
func Points(ps ...r3.Vec) [][3]float64 {
	out := make([][3]float64, len(ps))
	for n, p := range ps {
		out[n] = [3]float64{p.X, p.Y, p.Z}
	}
	return out
}

func vectors(ps [][3]float64) []r3.Vec {
	out := make([]r3.Vec, len(ps))
	for n, p := range ps {
		out[n] = r3.Vec{X: p[0], Y: p[1], Z: p[2]}
	}
	return out
}

// Validate names the first field that cannot be used.
func (e Edit) Validate() error {
	bad := func(field, why string, args ...any) error {
		return &EditError{Field: field, Why: fmt.Sprintf(why, args...)}
	}
	if e.Version != EditVersion {
		return bad("version", "is %d; this program reads version %d", e.Version, EditVersion)
	}
	if b, err := hex.DecodeString(e.Parent); err != nil || len(b) != sha256.Size {
		return bad("parent", "is not a SHA-256 in hexadecimal")
	}
	if _, err := imaging.ParseLabel(e.Label); err != nil {
		return bad("label", "%q is not a structure", e.Label)
	}
	brush, refine := e.Do == EditPaint || e.Do == EditErase, e.Do == EditRefine
	switch e.Do {
	case EditRefine, EditPaint, EditErase, EditRelabel, EditFill:
	default:
		return bad("do", "%q is not one of refine, paint, erase, relabel, fill", e.Do)
	}
	if _, err := imaging.ParseLabel(e.To); e.Do == EditRelabel && (err != nil || e.To == e.Label) {
		return bad("to", "%q is not another structure", e.To)
	}
	for _, f := range []struct {
		name string
		here bool
		used bool
	}{
		{"to", e.To != "", e.Do == EditRelabel}, {"inside", len(e.Inside) > 0, refine}, {"outside", len(e.Outside) > 0, refine},
		{"path", len(e.Path) > 0, brush || e.Do == EditRelabel}, {"radius_mm", e.RadiusMM != 0, brush}, {"reach_mm", e.ReachMM != 0, refine},
	} {
		if f.here && !f.used {
			return bad(f.name, "has no meaning for %q", e.Do)
		}
	}
	if refine && !(e.ReachMM == 0 || e.ReachMM >= LeastReachMM && e.ReachMM <= MostReachMM) {
		return bad("reach_mm", "is %g; it must be from %d to %d", e.ReachMM, LeastReachMM, MostReachMM)
	}
	if brush && !(e.RadiusMM >= LeastBrushMM && e.RadiusMM <= MostBrushMM) {
		return bad("radius_mm", "is %g; it must be from %g to %d", e.RadiusMM, LeastBrushMM, MostBrushMM)
	}
	if refine && len(e.Inside)+len(e.Outside) == 0 {
		return bad("inside", "and outside are both empty")
	}
	if brush && len(e.Path) == 0 {
		return bad("path", "is empty")
	}
	for _, l := range []struct {
		name string
		pts  [][3]float64
	}{{"inside", e.Inside}, {"outside", e.Outside}, {"path", e.Path}} {
		if len(l.pts) > MostPoints {
			return bad(l.name, "has %d points; %d are the most", len(l.pts), MostPoints)
		}
		for n, p := range l.pts {
			for _, x := range p {
				if !(math.Abs(x) <= mostPlaceMM) {
					return bad(l.name, "point %d is not a place: %g,%g,%g mm", n+1, p[0], p[1], p[2])
				}
			}
		}
	}
	return nil
}

// EditError is an edit that cannot be made.
type EditError struct {
	Number int    // its place in a list of edits, from 1; 0 for one alone
	Field  string // "reach_mm"; empty when it is not a field that is wrong
	Why    string
	Err    error // the reason, where it has one
}

func (e *EditError) Error() string {
	s := "segment: edit"
	if e.Number > 0 {
		s += fmt.Sprintf(" %d", e.Number)
	}
	if e.Field != "" {
		s += ": " + e.Field
		if e.Why != "" {
			s += " " + e.Why
		}
	} else if e.Why != "" {
		s += ": " + e.Why
	}
	if e.Err != nil {
		s += ": " + strings.TrimPrefix(e.Err.Error(), "segment: ")
	}
	return s
}

func (e *EditError) Unwrap() error { return e.Err }

// ParentError is an edit made on another state than the one at hand.
type ParentError struct{ Want, Have string }

func (e *ParentError) Error() string {
	return fmt.Sprintf("segment: the edit was made on state %.12s…, this is %.12s…; it would change other voxels than it was meant to; take the scan, recipe and seeds that it was made with, or make it again", e.Want, e.Have)
}

// Hash is the state that e leads to: a SHA-256 over e, its parent included.
func (e Edit) Hash() string {
	b, err := json.Marshal(e)
	if err != nil {
		panic("segment: " + err.Error()) // NaN and ±Inf do not pass Validate
	}
	sum := sha256.Sum256(append([]byte("halsted.edit\n"), b...))
	return hex.EncodeToString(sum[:])
}

// StateHash is the state of masks that no edit has touched: a SHA-256 over their
// grid, structures and voxels, the values of the volume and the recipe.
func StateHash(ctx context.Context, v *imaging.Volume, s *imaging.Segments, r Recipe) (string, error) {
	if err := sameGrid(v, s); err != nil {
		return "", err
	}
	const chunk = 1 << 18
	parts := make([][sha256.Size]byte, (len(s.Bits)+chunk-1)/chunk)
	err := par.ChunksCtx(ctx, len(s.Bits), chunk, func(lo, hi int) error {
		b := make([]byte, 0, 6*(hi-lo))
		for n := lo; n < hi; n++ {
			b = binary.LittleEndian.AppendUint32(b, s.Bits[n])
		}
		for n := lo; n < hi; n++ {
			b = binary.LittleEndian.AppendUint16(b, uint16(v.Data[n]))
		}
		parts[lo/chunk] = sha256.Sum256(b)
		return nil
	})
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "halsted.segments\n%s\n%v\n%v\n", r.Hash(), s.Of, s.Grid.Size)
	for _, p := range append([]r3.Vec{s.Grid.Origin, {X: v.Slope, Y: v.Intercept, Z: float64(v.Kind)}}, s.Grid.Axes[:]...) {
		_ = binary.Write(h, binary.LittleEndian, [3]float64{p.X, p.Y, p.Z})
	}
	for _, p := range parts {
		h.Write(p[:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
