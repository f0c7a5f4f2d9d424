package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Study is a received imaging study. It holds no patient identity: the UIDs of
// the files stay in the blobs, ID is a hash of their content.
type Study struct {
	ID       string     `json:"id"`       // hash of the sorted hashes of its instances
	Modality string     `json:"modality"` // DICOM (0008,0060)
	Files    []string   `json:"files"`    // blob keys of the instances, in slice order
	Size     [3]int     `json:"size"`
	Spacing  [3]float64 `json:"spacing_mm"`
	Kind     string     `json:"kind"` // what the values mean: "HU"
}

// Seed is a click: a point inside a structure.
type Seed struct {
	Label imaging.Label `json:"label"`
	LPS   r3.Vec        `json:"lps_mm"`
}

// Case is one patient's planning problem: a study, the clicks that help to
// segment it, or imported masks, and the condition of the organ.
type Case struct {
	ID        string   `json:"id"`
	Study     string   `json:"study"`             // Study.ID
	Procedure string   `json:"procedure"`         // e.g. "liver.resection"
	Condition string   `json:"condition"`         // key of the rule pack, e.g. "normal"
	Seeds     []Seed   `json:"seeds,omitempty"`   // LPS mm
	Patient   *Patient `json:"patient,omitempty"` // nil: nothing is known
	Masks     string   `json:"masks,omitempty"`   // blob key of imported bit masks (NIfTI), else own segmentation
	Labels    string   `json:"labels,omitempty"`  // blob key of the flattened labels, once segmented
	Surface   string   `json:"surface,omitempty"` // topology hash of the organ surface, once meshed
}

// Plane is a cut: what lies on the side of Normal is resected.
type Plane struct {
	Point  r3.Vec `json:"point_mm"`
	Normal r3.Vec `json:"normal"` // unit
}

// SignedMM is the distance of p from the plane, positive on the resected side.
func (p Plane) SignedMM(q r3.Vec) float64 { return r3.Dot(r3.Sub(q, p.Point), p.Normal) }

// Plan is one way to operate: what is cut, divided, inserted. Immutable; an
// edit is a child. In a resection the resected part is the union of the
// half-spaces of Cuts, what lies above Sheets, and what the branches Divided
// feed.
type Plan struct {
	ID           string   `json:"id"`
	Parent       string   `json:"parent,omitempty"`
	Case         string   `json:"case"`
	Procedure    string   `json:"procedure"`
	Name         string   `json:"name"`
	Cuts         []Plane  `json:"cuts"`
	Sheets       []Sheet  `json:"sheets,omitempty"`
	Divided      []Branch `json:"divided,omitempty"`   // with the territory they feed
	Embolised    []Branch `json:"embolised,omitempty"` // weeks before, so that the rest grows
	Needles      []Needle `json:"needles,omitempty"`
	Graft        *Graft   `json:"graft,omitempty"`
	RetractionMM float64  `json:"retraction_mm"`    // prescribed pull on the organ
	GravityG     r3.Vec   `json:"gravity_change_g"` // change of gravity in units of g, LPS; zero: as imaged
}

// Resected reports whether q lies in the part that Cuts and Sheets take out.
func (p *Plan) Resected(q r3.Vec) bool { return p.SignedMM(q) > 0 }

// SignedMM is the signed distance-like depth of q in the part that Cuts and
// Sheets take out: the largest distance from one of them, positive inside.
// Territories of Divided are not in it. It is −Inf without cut or sheet.
func (p *Plan) SignedMM(q r3.Vec) float64 {
	d := math.Inf(-1)
	for _, c := range p.Cuts {
		d = max(d, c.SignedMM(q))
	}
	for n := range p.Sheets {
		d = max(d, p.Sheets[n].SignedMM(q))
	}
	return d
}

// Validate reports a plan that cannot be simulated, naming what is wrong.
func (p *Plan) Validate() error {
	if len(p.Cuts)+len(p.Sheets)+len(p.Divided)+len(p.Needles) == 0 && p.Graft == nil {
		return fmt.Errorf("planner: plan %q has no cut and nothing else to do", p.Name)
	}
	for n, c := range p.Cuts {
		if l := r3.Norm(c.Normal); math.IsNaN(l) || math.Abs(l-1) > unitTol {
			return fmt.Errorf("planner: plan %q: cut %d: normal has length %g, want 1", p.Name, n, l)
		}
		if s := c.Point.X + c.Point.Y + c.Point.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("planner: plan %q: cut %d: point is not finite", p.Name, n)
		}
	}
	for n := range p.Sheets {
		if err := p.Sheets[n].validate(); err != nil {
			return fmt.Errorf("planner: plan %q: sheet %d %w", p.Name, n, err)
		}
	}
	for _, b := range append(p.Divided[:len(p.Divided):len(p.Divided)], p.Embolised...) {
		if b.System == "" || b.Index < 0 {
			return fmt.Errorf("planner: plan %q: branch %d of system %q is no branch", p.Name, b.Index, b.System)
		}
	}
	for n, d := range p.Needles {
		if l := d.LengthMM(); !(l > 0 && l <= maxNeedleMM) || math.IsInf(r3.Norm(d.Tip), 0) {
			return fmt.Errorf("planner: plan %q: needle %d has a length of %g mm, want up to %g mm", p.Name, n, l, float64(maxNeedleMM))
		}
	}
	if g := p.Graft; g != nil && (g.Device == "" || !(g.DistalMM > g.ProximalMM) || math.IsInf(g.DistalMM-g.ProximalMM, 0)) {
		return fmt.Errorf("planner: plan %q: graft %q from %g to %g mm has no device or no length", p.Name, g.Device, g.ProximalMM, g.DistalMM)
	}
	if !(p.RetractionMM >= 0 && p.RetractionMM <= maxRetractionMM) {
		return fmt.Errorf("planner: plan %q: retraction of %g mm is outside 0 to %g mm", p.Name, p.RetractionMM, float64(maxRetractionMM))
	}
	if g := r3.Norm(p.GravityG); !(g <= 2) {
		return fmt.Errorf("planner: plan %q: change of gravity of %g g is outside 0 to 2 g (turning the patient over is 2 g)", p.Name, g)
	}
	return nil
}

const (
	unitTol         = 1e-9 // a normalised double is within a few ulp of length 1
	maxRetractionMM = 200  // longer than any liver lobe
	maxNeedleMM     = 400  // longer than any needle in the catalogue
)

// Sealed returns p with its content-derived ID.
func (p Plan) Sealed() Plan {
	p.ID = ""
	p.ID = ContentID("plan", p)
	return p
}

// Sealed returns c with its content-derived ID; the fields filled in later by
// the pipeline (Labels, Surface) do not count.
func (c Case) Sealed() Case {
	d := c
	d.ID, d.Labels, d.Surface = "", "", ""
	c.ID = ContentID("case", d)
	return c
}

// ContentID hashes v's JSON under a domain name: SHA-256, the first 32 hex
// digits. Equal content gives equal ids on every machine.
func ContentID(domain string, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("planner: content of " + domain + ": " + err.Error())
	}
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write([]byte{0})
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))[:32]
}
