package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"halsted/imaging"
	"halsted/imaging/segment"
	"halsted/planner"
	"halsted/planner/aneurysm"
	"halsted/planner/liver"
	"halsted/planner/needle"
	"halsted/planner/rules"
)

// Subject is a case on its way to a procedure.
type Subject struct {
	Case     planner.Case // sealed
	Volume   *imaging.Volume
	Segments *imaging.Segments // nil: Open segments the volume by the procedure's recipe
	Pack     *rules.Pack       // nil: the shipped rules
	Notes    []string          // what the segmentation wants people to know
	// Open sets these: the liver where the procedure has one, and the outputs
	// that are lost for want of a structure.
	Liver *liver.Anatomy
	Lost  []string

	confidence float64 // of the liver's outline, where Open segmented it
}

// opening makes a procedure of a subject that has its segments.
type opening struct {
	name      string
	recipe    string // of imaging/segment
	condition string // of a case that names none
	open      func(ctx context.Context, s *Subject, p Progress) (planner.Procedure, error)
}

// openings are the procedures, in the order of their names.
var openings = []opening{
	{"liver.resection", segment.AbdomenPortal, "normal", openLiver},
	{"needle.trajectory", segment.AbdomenPortal, "biopsy", openNeedle},
	{"vessel.aneurysm", segment.AortaCTA, "normal", openAneurysm},
}

// Procedures lists the names of the procedures that can be planned.
func Procedures() []string {
	var out []string
	for _, o := range openings {
		out = append(out, o.name)
	}
	return out
}

// Condition is the condition of a case that names none, as the rules of the
// procedure know it.
func Condition(procedure string) string {
	for _, o := range openings {
		if o.name == procedure {
			return o.condition
		}
	}
	return ""
}

// Open segments the case if need be and prepares its procedure.
func (s *Subject) Open(ctx context.Context, p Progress) (planner.Procedure, error) {
	n := slices.IndexFunc(openings, func(o opening) bool { return o.name == s.Case.Procedure })
	if n < 0 {
		return nil, &StudyError{fmt.Sprintf("no procedure %q (known: %v)", s.Case.Procedure, Procedures())}
	}
	if s.Pack == nil {
		var err error
		if s.Pack, err = rules.Shipped(s.Case.Procedure); err != nil {
			return nil, err
		}
	}
	if s.Segments == nil {
		// A click on a renal artery marks a landmark; no recipe looks for it.
		clicks := s.Case
		clicks.Seeds = slices.DeleteFunc(slices.Clone(clicks.Seeds), func(d planner.Seed) bool { return d.Label == imaging.LabelRenalArtery })
		segs, rep, err := segmented(ctx, openings[n].recipe, s.Volume, clicks, p)
		if err != nil {
			return nil, err
		}
		s.Segments, s.Notes = segs, append(s.Notes, rep.Notes()...)
		for _, t := range rep.Structures {
			if t.Label == imaging.LabelLiver {
				s.confidence = t.Confidence
			}
		}
	}
	return openings[n].open(ctx, s, p)
}

// SegmentsHash is the SHA-256 of the structures, whatever file they came from.
func (s *Subject) SegmentsHash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%v\n%v\n", s.Segments.Grid, s.Segments.Of)
	var b [1 << 12]byte
	for bits := range slices.Chunk(s.Segments.Bits, len(b)/4) {
		for n, v := range bits {
			binary.LittleEndian.PutUint32(b[4*n:], v)
		}
		h.Write(b[:4*len(bits)])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func openLiver(ctx context.Context, s *Subject, p Progress) (planner.Procedure, error) {
	report := p.stage("vessels and territories")
	report(0)
	a, err := liver.NewAnatomy(ctx, s.Segments)
	if err != nil {
		return nil, err
	}
	s.Liver = a
	report(0.3)
	spec := liver.ProcedureSpec{CaseID: s.Case.ID, Condition: s.Case.Condition, Pack: s.Pack, Image: s.Volume, Confidence: s.confidence}
	if f := s.Case.Patient; f != nil {
		spec.HeightCM, spec.WeightKG = f.HeightCM, f.WeightKG
	}
	proc, err := liver.NewProcedure(ctx, a, spec)
	if err != nil {
		return nil, err
	}
	for _, m := range proc.Missing() {
		s.Lost = append(s.Lost, m.String())
	}
	report(1)
	return proc, nil
}

func openNeedle(ctx context.Context, s *Subject, p Progress) (planner.Procedure, error) {
	report := p.stage("distance maps")
	report(0)
	c, err := needle.NewCase(ctx, s.Segments, needle.Config{Condition: s.Case.Condition, Pack: s.Pack, Case: s.Case.ID, Image: s.Volume})
	if err != nil {
		return nil, err
	}
	report(1)
	return c, nil // its Flags tell what is lost
}

func openAneurysm(ctx context.Context, s *Subject, p Progress) (planner.Procedure, error) {
	report := p.stage("lumen and wall")
	report(0)
	cfg := aneurysm.Config{Case: s.Case.ID, Patient: s.Case.Patient}
	for _, d := range s.Case.Seeds {
		if d.Label == imaging.LabelRenalArtery {
			cfg.LowestRenal = &d.LPS
		}
	}
	c, err := aneurysm.New(ctx, s.Segments, cfg)
	if err != nil {
		return nil, err
	}
	s.Lost = append(s.Lost, c.Missing()...)
	report(1)
	return c, nil
}
