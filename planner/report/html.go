package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"halsted/planner"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// policy lets the page show its own pictures and its one style sheet, by hash,
// and nothing else: no script, no form, no fetch.
var policy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}()

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"clean": clean, "texts": texts, "value": value, "interval": interval, "brief": brief, "basis": basis, "evidence": evidence,
	"remarks": remarks, "stop": stop, "marks": marks, "veto": veto, "vessel": vesselName, "name": planName, "place": place, "limit": limitText,
	"rank": func(e planner.Evaluation) string { return rank(e) },
	"src": func(p Picture) template.URL {
		return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.PNG))
	},
}).Parse(pageHTML))

// sheet is what the template reads.
type sheet struct {
	*Dossier
	Style    template.CSS
	Policy   string
	Notice   string
	Reading  string
	Common   []string
	Columns  []string
	Subject  Name
	Legend   []string
	Panels   []template.HTML
	FrontSVG template.HTML
}

func (s sheet) DocTitle() string              { return s.title() }
func (s sheet) Proposal() string              { return s.proposal() }
func (s sheet) Approved() string              { return s.approved() }
func (s sheet) ScanText() string              { return s.scanText() }
func (s sheet) Identity() [][2]string         { return s.identity() }
func (s sheet) PlanTitle(n int) string        { return s.planTitle(n) }
func (s sheet) Mark(n int) string             { return s.mark(n) }
func (s sheet) Tags(n int) string             { return strings.Join(s.tags(n), ", ") }
func (s sheet) Said(it Item) string           { return it.said() }
func (s sheet) Proposed(it Item) bool         { return s.Knee != "" && it.Plan.ID == s.Knee }
func (s sheet) Fallback(c Contingency) string { return s.fallback(c) }
func (s sheet) ReasonsOf(it Item) []string    { return s.reasons(it) }
func (s sheet) ForAll() []string              { return s.warnings() }
func (s sheet) Warning(it Item) string        { return warning(s.Common, it) }
func (s sheet) Own(it Item) []string          { return own(s.Common, it) }
func (s sheet) Heading(id string) string      { return heading(s.Items, id) }
func (s sheet) Birth() string                 { return orDash(dicomDate(s.Patient.BirthDate)) }
func (s sheet) PatientID() string             { return orDash(cleanTo(s.Patient.ID, 64)) }
func (s sheet) Sex() string                   { return orDash(cleanTo(s.Patient.Sex, 16)) }
func (s sheet) Cell(it Item, id string) *planner.Quantity {
	if q, ok := it.Evaluation.Quantity(id); ok {
		return &q
	}
	return nil
}

// Strips is the interval chart of plan n.
func (s sheet) Strips(n int) template.HTML {
	h := s.strips(&svg{}, n, 0, 0, 180)
	if h == 0 {
		return ""
	}
	return picture(182, h+1, "numbers of plan "+s.mark(n)+" with their intervals and limits", func(c canvas) { s.strips(c, n, 0, 0, 180) })
}

// HTML writes the dossier as one page that stands alone: pictures and charts
// inside, no script, nothing fetched, a content security policy that allows
// just that. All text from outside is cleaned of control characters and
// escaped. The page holds no clock time: the same dossier gives the same bytes.
// It writes nothing when Check finds a fault.
func HTML(w io.Writer, d Dossier) error {
	if err := d.Check(); err != nil {
		return err
	}
	s := sheet{Dossier: &d, Style: template.CSS(pageCSS), Policy: policy, Notice: planner.Notice, Reading: reading,
		Common: Common(d.Items), Columns: d.headline(), Subject: ParseName(d.Patient.Name)}
	s.Legend = d.legend(s.Columns)
	if h := headings(d.Items, s.Columns); h != "" {
		s.Legend = append([]string{h}, s.Legend...)
	}
	if len(d.Items) > 0 {
		for _, id := range s.Columns {
			s.Panels = append(s.Panels, picture(90, d.panelHeight()+1, "all plans: "+label(d.Items, id), func(c canvas) { d.panel(c, id, 0, 0, 90) }))
		}
		if _, _, ok := d.axes(); ok {
			s.FrontSVG = picture(180, 84, "all plans over two objectives", func(c canvas) { d.front(c, 0, 0, 180, 82) })
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, s); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
