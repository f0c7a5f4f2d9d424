package segment

import (
	"fmt"

	"halsted/imaging"
)

// Origin says how a structure was found.
type Origin string

// The origins.
const (
	Automatic          Origin = "automatic"
	FromSeed           Origin = "seed"
	AutomaticCandidate Origin = "automatic candidate" // a tumour nobody has confirmed
	ByPosition         Origin = "position"            // vessel system guessed from where its thick end lies
)

// Structure is one line of the report.
type Structure struct {
	Label    imaging.Label
	VolumeML float64
	MeanHU   float64
	Origin   Origin
}

// Report says what was found, how, and what to look at.
type Report struct {
	Recipe     Recipe // as used: every default filled in
	LiverHU    float64
	LiverSD    float64 // of the smoothed parenchyma
	Structures []Structure
	Remarks    []string // what went otherwise than expected
}

func (r *Report) note(format string, args ...any) {
	r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...))
}

// Notes are the sentences a person should read before using the result: what
// is a guess, what was not found, and the remarks.
func (r *Report) Notes() []string {
	var out []string
	for _, s := range r.Structures {
		switch {
		case s.Origin == AutomaticCandidate:
			out = append(out, fmt.Sprintf("%v (%.1f ml) is an automatic candidate: confirm it or put a seed into each tumour", s.Label, s.VolumeML))
		case s.Origin == ByPosition:
			out = append(out, fmt.Sprintf("%v (%.1f ml) was told from the other vessels by its position alone: check it or give a seed", s.Label, s.VolumeML))
		case s.Label == imaging.LabelVessel && s.VolumeML > 0:
			out = append(out, fmt.Sprintf("%.1f ml of vessels could not be assigned to the portal or hepatic veins", s.VolumeML))
		}
	}
	return append(out, r.Remarks...)
}

// EmptyLabelError says which structure was not found and what to do.
type EmptyLabelError struct {
	Label imaging.Label
	Do    string
}

func (e *EmptyLabelError) Error() string {
	return fmt.Sprintf("segment: %v not found: %s", e.Label, e.Do)
}
