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
	ID        string `json:"id"`
	Study     string `json:"study"`             // Study.ID
	Procedure string `json:"procedure"`         // e.g. "liver.resection"
	Condition string `json:"condition"`         // key of the rule pack, e.g. "normal"
	Seeds     []Seed `json:"seeds,omitempty"`   // LPS mm
	Masks     string `json:"masks,omitempty"`   // blob key of imported bit masks (NIfTI), else own segmentation
	Labels    string `json:"labels,omitempty"`  // blob key of the flattened labels, once segmented
	Surface   string `json:"surface,omitempty"` // topology hash of the organ surface, once meshed
}

// Plane is a cut: what lies on the side of Normal is resected.
type Plane struct {
	Point  r3.Vec `json:"point_mm"`
	Normal r3.Vec `json:"normal"` // unit
}

// SignedMM is the distance of p from the plane, positive on the resected side.
func (p Plane) SignedMM(q r3.Vec) float64 { return r3.Dot(r3.Sub(q, p.Point), p.Normal) }

// Plan is one way to operate. The resected part of the organ is the union of
// the half-spaces of Cuts. Immutable; an edit is a child.
type Plan struct {
	ID           string  `json:"id"`
	Parent       string  `json:"parent,omitempty"`
	Case         string  `json:"case"`
	Procedure    string  `json:"procedure"`
	Name         string  `json:"name"`
	Cuts         []Plane `json:"cuts"`
	RetractionMM float64 `json:"retraction_mm"`    // prescribed pull on the remnant
	GravityG     r3.Vec  `json:"gravity_change_g"` // change of gravity in units of g, LPS; zero: as imaged
}

// Resected reports whether q lies in the part that is taken out.
func (p *Plan) Resected(q r3.Vec) bool { return p.SignedMM(q) > 0 }

// SignedMM is the signed distance-like depth of q in the resected part: the
// largest plane distance, positive inside the resected part.
func (p *Plan) SignedMM(q r3.Vec) float64 {
	d := math.Inf(-1)
	for _, c := range p.Cuts {
		d = max(d, c.SignedMM(q))
	}
	return d
}

// Validate reports a plan that cannot be simulated, naming the cut.
func (p *Plan) Validate() error {
	if len(p.Cuts) == 0 {
		return fmt.Errorf("planner: plan %q has no cut", p.Name)
	}
	for n, c := range p.Cuts {
		if l := r3.Norm(c.Normal); math.IsNaN(l) || math.Abs(l-1) > unitTol {
			return fmt.Errorf("planner: plan %q: cut %d: normal has length %g, want 1", p.Name, n, l)
		}
		if s := c.Point.X + c.Point.Y + c.Point.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("planner: plan %q: cut %d: point is not finite", p.Name, n)
		}
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
