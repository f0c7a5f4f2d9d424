package report

import (
	"io"

	"halsted/planner"
)

// Schema names the JSON form. A change that breaks a reader raises the number.
const Schema = "halsted.dossier/1"

// Patient is what DICOM says of the patient, as it stands in the object: it may
// be empty, absurdly long or hostile. Nothing here is trusted or interpreted
// beyond the component groups of the name.
type Patient struct {
	Name      string `json:"name"`       // (0010,0010): alphabetic=ideographic=phonetic
	ID        string `json:"id"`         // (0010,0020)
	BirthDate string `json:"birth_date"` // (0010,0030)
	Sex       string `json:"sex"`        // (0010,0040)
}

// Scan is what DICOM says of the study, as it stands in the object.
type Scan struct {
	Description string `json:"description,omitempty"` // (0008,1030)
	Date        string `json:"date,omitempty"`        // (0008,0020)
	Accession   string `json:"accession,omitempty"`   // (0008,0050)
	Institution string `json:"institution,omitempty"` // (0008,0080)
}

// Picture is a PNG with what it shows.
type Picture struct {
	Caption string `json:"caption"`
	PNG     []byte `json:"png"`
}

// Contingency is what remains when one assumption of a plan fails.
type Contingency struct {
	If   string `json:"if"`             // "the margin of 5 mm is lost"
	Then string `json:"then,omitempty"` // Plan.ID to go to; empty: none, or no need
	// Text says it in whole sentences; empty: If and Then are put into one.
	Text string `json:"text,omitempty"`
}

// Item is one plan with its evaluation.
type Item struct {
	Plan       planner.Plan       `json:"plan"`
	Evaluation planner.Evaluation `json:"evaluation"`
	// WhyNot says why the plan is not the proposed one, or why it was rejected.
	WhyNot      []string      `json:"why_not,omitempty"`
	Contingency []Contingency `json:"contingency,omitempty"`
	// Given are all approvals and withdrawals of the plan, as the store has
	// them. Whether one stands on what is shown here is asked of
	// planner.Approved, in every form anew: nothing else makes a plan read
	// "approved".
	Given    []planner.Approval `json:"given,omitempty"`
	Pictures []Picture          `json:"pictures,omitempty"`
}

// Limit is a rule of the case as the charts and the list of rules show it.
type Limit struct {
	Rule     string        `json:"rule"`     // id in the rule pack
	Quantity string        `json:"quantity"` // planner.Quantity.ID
	Text     string        `json:"text"`
	Hard     bool          `json:"hard"` // breaking it vetoes the plan
	Limit    planner.Limit `json:"limit"`
}

// Axis is one objective of the front's chart.
type Axis struct {
	Quantity string `json:"quantity"` // planner.Quantity.ID
	Less     bool   `json:"less"`     // smaller is better
}

// Dossier is everything that is known of a case when a surgeon decides. All
// forms (HTML, PDF, JSON, SR, Table) say the same. Items stand in the order
// they are shown: ranked plans first.
type Dossier struct {
	Title     string        `json:"title,omitempty"` // empty: from the procedure
	Patient   Patient       `json:"patient"`
	Scan      Scan          `json:"scan"`
	Case      planner.Case  `json:"case"`
	Study     planner.Study `json:"study"`
	RulePack  string        `json:"rule_pack"`            // id@version
	KernelSet string        `json:"kernel_set,omitempty"` // what computed it
	Bundle    string        `json:"bundle,omitempty"`     // id of the run bundle that gives it again
	// Headline are the ids of the numbers on the first page, six at most; nil:
	// the first six of Columns that a plan has.
	Headline []string           `json:"headline,omitempty"`
	Found    []planner.Quantity `json:"found,omitempty"` // of the organ
	Items    []Item             `json:"plans"`
	// Knee is the Plan.ID that the ranking proposes; empty: none.
	Knee     string         `json:"knee,omitempty"`
	KneeWhy  []string       `json:"knee_why,omitempty"`
	Rejected []Item         `json:"rejected,omitempty"` // nearest plans that were not kept
	Front    [2]Axis        `json:"front"`              // zero: from Headline
	Limits   []Limit        `json:"limits,omitempty"`
	Flags    []planner.Flag `json:"flags,omitempty"`   // outside the verified range
	Notes    []string       `json:"notes,omitempty"`   // what to check before any plan is used; on the first page
	Missing  []string       `json:"missing,omitempty"` // structures that are not there and which outputs are lost
	Method   []string       `json:"method,omitempty"`  // what was done and what was left out
	Sources  []string       `json:"sources,omitempty"`
	Pictures []Picture      `json:"pictures,omitempty"` // of the case
}

// Write is HTML.
func Write(w io.Writer, d Dossier) error { return HTML(w, d) }
