package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"halsted/planner"

	"codeberg.org/go-pdf/fpdf"
)

// epoch stands where PDF wants a date: the document holds no clock time.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// PDF writes the dossier on A4: the decision page first, then all plans number
// by number, a page for each plan, and method, rules and sources. Every page
// carries the patient, the notice and its number. The same dossier gives the
// same bytes. It writes nothing when Check finds a fault.
//
// Text is drawn without shaping. Latin, Greek, Cyrillic, Armenian, Georgian,
// Chinese, Japanese, Korean, Thai, Hebrew and Arabic (joined, right to left)
// are shown; Han characters in their Chinese shapes. A character of another
// script appears as its code point, beside the other component groups of the
// name.
func PDF(w io.Writer, d Dossier) error {
	if err := d.Check(); err != nil {
		return err
	}
	b, err := makePDF(&d)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func makePDF(d *Dossier) ([]byte, error) {
	f := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "mm", SizeStr: "A4"})
	f.SetCatalogSort(true)
	f.SetCreationDate(epoch)
	f.SetModificationDate(epoch)
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(0, 0, 0)
	f.SetCellMargin(0)
	f.SetProducer("Halsted", true)
	f.SetTitle(basic(d.title()), true)
	f.SetLang("en")
	f.SetLineCapStyle("butt")
	p := &paper{f: f, images: map[string]imageSize{}, widths: map[int]bool{}}
	p.page = func() { p.begin(d) }
	p.page()
	p.decision(d)
	if len(d.Items) > 0 {
		if p.f.PageNo() == 1 || p.y+6+d.comparisonHeight() > bottomY {
			p.page()
		} else { // the decision needed a little of a second page
			p.y += 6
		}
		p.comparison(d)
	}
	for n := range d.Items {
		p.page()
		p.plan(d, n)
	}
	if len(d.Items) > 0 {
		p.page()
	}
	p.method(d)
	p.number()
	var out bytes.Buffer
	if err := f.Output(&out); err != nil {
		return nil, fmt.Errorf("report: PDF: %w", err)
	}
	return out.Bytes(), nil
}

// begin starts a page with the patient on top and the notice below.
func (p *paper) begin(d *Dossier) {
	p.f.AddPage()
	p.size = 0
	p.foot(d)
	if p.f.PageNo() == 1 {
		p.y = 10
		return
	}
	groups := printableFirst(ParseName(d.Patient.Name))
	who := "–"
	if len(groups) > 0 {
		who = groups[0]
	}
	p.text(marginX, 12, 9, ink, true, left, p.fit(who, 92, 9, true))
	p.text(pageW-marginX, 12, 8, faint, false, right, p.fit("ID "+orDash(cleanTo(d.Patient.ID, 64))+"   born "+orDash(dicomDate(d.Patient.BirthDate)), 84, 8, false))
	p.line(marginX, 14.5, pageW-marginX, 14.5, 0.2, rule, false)
	p.y = 18
}

func (p *paper) foot(d *Dossier) {
	p.line(marginX, 283, pageW-marginX, 283, 0.2, rule, false)
	p.text(marginX, 287.2, 7.5, ink, true, left, planner.Notice)
	p.text(marginX, 291, 6.5, faint, false, left, p.fit("case "+orDash(clean(d.Case.ID))+"   rules "+orDash(clean(d.RulePack)), 150, 6.5, false))
}

// number writes "page n of m" on every page.
func (p *paper) number() {
	m := p.f.PageCount()
	for n := 1; n <= m; n++ {
		p.f.SetPage(n)
		p.size = 0
		p.text(pageW-marginX, 287.2, 7.5, faint, false, right, fmt.Sprintf("page %d of %d", n, m))
	}
}

// printableFirst are the groups of a name, those that the faces draw first.
func printableFirst(n Name) []string {
	var yes, no []string
	for _, g := range n.Groups() {
		if printable(g) {
			yes = append(yes, g)
		} else {
			no = append(no, g)
		}
	}
	return append(yes, no...)
}

// decision is the first page.
func (p *paper) decision(d *Dossier) {
	p.mark(d.title())
	p.para(marginX, textW, 14, ink, true, d.title())
	groups := printableFirst(ParseName(d.Patient.Name))
	if len(groups) == 0 {
		groups = []string{"–"}
	}
	all := strings.Join(groups, "   ")
	if p.width(all, 11.5, true) <= textW {
		p.para(marginX, textW, 11.5, ink, true, all)
	} else {
		p.para(marginX, textW, 11.5, ink, true, groups[0])
		for _, g := range groups[1:] {
			p.para(marginX, textW, 9.5, ink, false, g)
		}
	}
	p.para(marginX, textW, 8.5, ink, false, join(", ", "ID "+orDash(cleanTo(d.Patient.ID, 64)), "born "+orDash(dicomDate(d.Patient.BirthDate)), "sex "+orDash(cleanTo(d.Patient.Sex, 16))))
	scan := d.scanText()
	if c := clean(d.Case.Condition); c != "" {
		scan = join(". ", scan, "Organ condition: "+c)
	}
	p.para(marginX, textW, 8, ink, false, scan)
	p.y += 1.2
	var flags []string
	for _, fl := range d.Flags {
		flags = append(flags, fl.Text)
	}
	if flags = append(flags, d.Missing...); len(texts(flags)) > 0 {
		p.box(red, 8, "Outside the verified range, or missing", texts(flags))
	}
	common := Common(d.Items)
	if all := d.warnings(); len(all) > 0 {
		p.box(amber, 8, "Warnings for all plans", all)
	}
	p.box(ofPct, 8.5, d.proposal(), append(texts(d.KneeWhy), d.approved()))
	if len(d.Items) == 0 {
		return
	}
	p.table(d)
	p.y += 1.5
	legends := append([]string{join(" ", "Below each value: its 95 % interval. * unverified source, ! outside the verified range.", headings(d.Items, d.headline()))}, d.legend(d.headline())...)
	for _, l := range legends {
		if l != "* unverified source" {
			p.para(marginX, textW, 6.8, faint, false, l)
		}
	}
	p.room(18)
	p.y += 1.5
	p.para(marginX, textW, 10.5, ink, true, "Why, and what to watch")
	var calm []string // plans without a warning of their own
	for n, it := range d.Items {
		c := ink
		if it.Evaluation.Rank == 0 {
			c = red
		}
		title, why := d.planTitle(n), strings.Join(d.reasons(it), "; ")
		if t := d.briefTags(n); len(t) > 0 {
			title += " (" + strings.Join(t, ", ") + ")"
		}
		p.room(lead(8)*float64(len(p.wrap(title, textW, 8, true))) + lead(7.5)*float64(1+len(p.wrap(why, textW-5, 7.5, false))))
		p.para(marginX, textW, 8, c, true, title)
		p.item("•", marginX+1, textW-1, 7.5, ink, why)
		if len(own(common, it)) > 0 {
			p.item("!", marginX+1, textW-1, 7.5, colour{138, 90, 0}, "Warning: "+warning(common, it))
		} else {
			calm = append(calm, d.mark(n))
		}
		p.y += 0.8
	}
	if len(calm) > 0 {
		p.item("!", marginX+1, textW-1, 7.5, colour{138, 90, 0}, "No warning of its own: plan "+strings.Join(calm, ", ")+".")
	}
	if left := bottomY - p.y; left > 75 && len(d.Pictures) > 0 { // a page with room shows the case
		p.y += 2
		p.pictures(d.Pictures[:1], min(100, left-12))
		p.shown = 1
	}
}

// table is the plan table: a row each, value and interval in every cell.
func (p *paper) table(d *Dossier) {
	ids := d.headline()
	const nameW = 62.0
	colW := (textW - nameW) / float64(max(1, len(ids)))
	head := func() {
		p.room(20)
		most := 1
		var cells [][]string
		for _, id := range ids {
			l := p.wrap(capital(heading(d.Items, id)), colW-0.6, 7, true)
			if len(l) > 3 {
				l = append(l[:2], p.fit(strings.Join(l[2:], " "), colW-1, 7, true))
			}
			cells = append(cells, l)
			most = max(most, len(l))
		}
		h := lead(7)*float64(most) + 1.2
		for n, l := range cells {
			for k, s := range l {
				p.text(marginX+nameW+colW*float64(n)+0.8, p.y+lead(7)*(float64(k)+0.76), 7, ink, true, left, s)
			}
		}
		p.text(marginX+1, p.y+lead(7.5)*0.76, 7.5, ink, true, left, "Plan")
		p.y += h
		p.line(marginX, p.y, pageW-marginX, p.y, 0.4, ink, false)
	}
	head()
	for n, it := range d.Items {
		knee := d.Knee != "" && it.Plan.ID == d.Knee
		name := p.wrap(planName(it), nameW-9, 8.5, knee)
		if len(name) > 3 {
			name = append(name[:2], p.fit(strings.Join(name[2:], " "), nameW-9, 8.5, knee))
		}
		tag, tc := strings.Join(d.briefTags(n), ", "), faint
		h := lead(8.5)*float64(len(name)) + 1.6
		if tag != "" {
			h += lead(6.8)
		}
		h = max(h, lead(9)+lead(6.8)+1.6)
		if p.y+h > bottomY {
			p.page()
			head()
		}
		if knee {
			p.rect(marginX, p.y, textW, h, ofPct.mix(0.12))
		}
		c := ink
		if it.Evaluation.Rank == 0 {
			c = faint
		}
		p.text(marginX+1, p.y+lead(9)*0.8, 9.5, c, true, left, d.mark(n))
		for k, l := range name {
			p.text(marginX+8, p.y+lead(8.5)*(float64(k)+0.8), 8.5, c, knee, left, l)
		}
		if it.Evaluation.Rank == 0 {
			tc = red
		}
		p.text(marginX+8, p.y+lead(8.5)*float64(len(name))+lead(6.8)*0.8, 6.8, tc, knee, left, p.fit(tag, nameW-9, 6.8, knee))
		for k, id := range ids {
			x := marginX + nameW + colW*float64(k) + 0.8
			q, ok := it.Evaluation.Quantity(id)
			if !ok {
				p.text(x, p.y+lead(9)*0.8, 9, faint, false, left, "–")
				continue
			}
			p.text(x, p.y+lead(9)*0.8, 9, c, true, left, p.fit(value(q)+marks(q), colW-0.8, 9, true))
			p.text(x, p.y+lead(9)+lead(6.8)*0.8, 6.8, faint, false, left, p.fit(brief(q), colW-0.8, 6.8, false))
		}
		p.y += h
		p.line(marginX, p.y, pageW-marginX, p.y, 0.1, rule, false)
	}
}

// Heights of the page of all plans, mm.
const (
	frontHigh = 78
	panelGap  = 2.5
)

// comparisonHeight is what the page of all plans takes at most, mm.
func (d *Dossier) comparisonHeight() float64 {
	rows := (len(d.headline()) + 1) / 2
	return 24 + float64(rows)*(d.panelHeight()+panelGap) + frontHigh + 2 + lead(7)*float64(1+len(d.Items))
}

// comparison is the page of all plans, number by number.
func (p *paper) comparison(d *Dossier) {
	p.mark("All plans, number by number")
	p.para(marginX, textW, 13, ink, true, "All plans, number by number")
	p.para(marginX, textW, 7.5, faint, false, reading)
	p.y += 2
	const gap = 6
	w := (textW - gap) / 2
	h := d.panelHeight()
	for n, id := range d.headline() {
		if n%2 == 0 {
			p.room(h)
		}
		d.panel(p, id, marginX+float64(n%2)*(w+gap), p.y, w)
		if n%2 == 1 || n == len(d.headline())-1 {
			p.y += h + panelGap
		}
	}
	if _, _, ok := d.axes(); ok {
		p.room(frontHigh + 2)
		d.front(p, marginX, p.y, textW, frontHigh)
		p.y += frontHigh + 2
	}
	p.y += 1
	var list []string
	for n, it := range d.Items {
		list = append(list, "Plan "+d.mark(n)+": "+shortened(planName(it), 70))
	}
	p.para(marginX, textW, 7, faint, false, strings.Join(list, ".  ")+".")
}
