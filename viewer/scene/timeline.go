package scene

import (
	"fmt"
	"math"
	"sort"
	"strconv"

	"gonum.org/v1/gonum/spatial/r3"
)

// Field is one value per vertex of the scene.
type Field struct {
	ID     string // "von_mises", "displacement", "strain_max"
	Unit   string // UCUM: "kPa", "mm", "%"
	Values []float32
	// Quality is written below the legend's title; nil: nothing is, as for what
	// no solver made.
	Quality *Quality
}

// Quality says how well the values of a field are known.
type Quality struct {
	Residual *float64 // relative, of the solve; nil: not recorded
	Error    *float64 // estimated error of the mesh in the field's unit, root mean square; nil: no estimate
	Evidence string   // worst of the inputs, as people read it: "M (unverified source)"; empty: not recorded
}

// text is one line; what is not known is said.
func (q *Quality) text(unit string) string {
	if q == nil {
		return ""
	}
	s, e, r := q.Evidence, "mesh error not estimated", "residual not recorded"
	if s == "" {
		s = "evidence not recorded"
	}
	if q.Error != nil {
		e = "mesh error ≈ " + Number(*q.Error)
		if unit != "" && unit != "1" {
			e += " " + unit
		}
	}
	if q.Residual != nil {
		r = "residual " + strconv.FormatFloat(*q.Residual, 'g', 2, 64)
	}
	return s + " · " + e + " · " + r
}

// Frame is one state of the scene's vertices.
type Frame struct {
	Epoch, Seq uint64 // Seq grows within an epoch
	TimeS      float64
	Pos        []r3.Vec // LPS mm
	Fields     []Field

	spans [][]span // [field][structure]
}

type span struct{ lo, hi float64 }

func (f *Frame) field(id string) int {
	for n := range f.Fields {
		if f.Fields[n].ID == id {
			return n
		}
	}
	return -1
}

// DefaultMaxFrames is how many frames a timeline keeps when not told
// otherwise: at 50,000 vertices and three fields about 1.8 GB.
const DefaultMaxFrames = 1000

// Timeline keeps the frames of one epoch, so that scrubbing needs no network.
type Timeline struct {
	// Follow keeps the newest frame current as frames arrive. Seeking away
	// from the end clears it, seeking to the end sets it.
	Follow bool
	// MaxFrames bounds what is kept; the oldest go first. 0: DefaultMaxFrames.
	MaxFrames int

	frames []*Frame
	cur    int
}

// OrderError reports a frame that does not come after the last one.
type OrderError struct{ Epoch, Seq, LastEpoch, LastSeq uint64 }

func (e *OrderError) Error() string {
	return fmt.Sprintf("scene: frame %d of epoch %d does not follow frame %d of epoch %d", e.Seq, e.Epoch, e.LastSeq, e.LastEpoch)
}

// Len is the number of frames kept.
func (t *Timeline) Len() int { return len(t.frames) }

// Index is the position of the current frame, 0 when there is none.
func (t *Timeline) Index() int { return t.cur }

// Current is the frame shown, or nil before the first.
func (t *Timeline) Current() *Frame {
	if len(t.frames) == 0 {
		return nil
	}
	return t.frames[t.cur]
}

// Last is the newest frame, or nil before the first.
func (t *Timeline) Last() *Frame {
	if len(t.frames) == 0 {
		return nil
	}
	return t.frames[len(t.frames)-1]
}

// Seek shows the i-th frame kept, clamped to the ends.
func (t *Timeline) Seek(i int) {
	t.cur = max(0, min(i, len(t.frames)-1))
	t.Follow = t.cur >= len(t.frames)-1
}

// SeekSeq shows the frame with that sequence number and reports whether it is
// kept.
func (t *Timeline) SeekSeq(seq uint64) bool {
	i := sort.Search(len(t.frames), func(i int) bool { return t.frames[i].Seq >= seq })
	if i == len(t.frames) || t.frames[i].Seq != seq {
		return false
	}
	t.Seek(i)
	return true
}

// AppendFrame adds a frame to the timeline. A frame of a later epoch drops
// what was kept: frames of different epochs do not belong together. The error
// names the first vertex whose position or value does not fit; *OrderError
// means the frame came late.
func (sc *Scene) AppendFrame(f *Frame) error {
	t := &sc.Timeline
	if l := t.Last(); l != nil && (f.Epoch < l.Epoch || f.Epoch == l.Epoch && f.Seq <= l.Seq) {
		return &OrderError{f.Epoch, f.Seq, l.Epoch, l.Seq}
	}
	if len(f.Pos) != sc.verts {
		return fmt.Errorf("scene: frame %d has %d vertices, the scene %d", f.Seq, len(f.Pos), sc.verts)
	}
	for n, p := range f.Pos {
		if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("scene: frame %d: vertex %d is not finite", f.Seq, n)
		}
	}
	f.spans = make([][]span, len(f.Fields))
	for n, fd := range f.Fields {
		if len(fd.Values) != sc.verts {
			return fmt.Errorf("scene: frame %d: field %s has %d values for %d vertices", f.Seq, fd.ID, len(fd.Values), sc.verts)
		}
		f.spans[n] = make([]span, len(sc.Structures))
		for m, s := range sc.Structures {
			sp := span{math.Inf(1), math.Inf(-1)}
			for i, v := range fd.Values[s.first : s.first+len(s.Rest)] {
				w := float64(v)
				if math.IsNaN(w) || math.IsInf(w, 0) {
					return fmt.Errorf("scene: frame %d: field %s is not finite at vertex %d of %s", f.Seq, fd.ID, i, s.Name)
				}
				sp.lo, sp.hi = min(sp.lo, w), max(sp.hi, w)
			}
			f.spans[n][m] = sp
		}
	}
	if l := t.Last(); l != nil && l.Epoch != f.Epoch {
		t.frames, t.cur, t.Follow = nil, 0, true
	}
	t.frames = append(t.frames, f)
	limit := t.MaxFrames
	if limit <= 0 {
		limit = DefaultMaxFrames
	}
	if over := len(t.frames) - limit; over > 0 {
		t.frames = append([]*Frame(nil), t.frames[over:]...)
		t.cur = max(0, t.cur-over)
	}
	if t.Follow {
		t.cur = len(t.frames) - 1
	}
	return nil
}

// Fields lists the ids of the fields of the newest frame, in its order.
func (sc *Scene) Fields() []string {
	l := sc.Timeline.Last()
	if l == nil {
		return nil
	}
	ids := make([]string, len(l.Fields))
	for n := range l.Fields {
		ids[n] = l.Fields[n].ID
	}
	return ids
}
