package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"strings"

	"image"

	"halsted/planner"

	"codeberg.org/go-pdf/fpdf"
)

// plan is the page of one plan.
func (p *paper) plan(d *Dossier, n int) {
	it := d.Items[n]
	c := ink
	if it.Evaluation.Rank == 0 {
		c = red
	}
	p.mark(d.planTitle(n))
	p.para(marginX, textW, 13, c, true, d.planTitle(n))
	p.para(marginX, textW, 9, ink, true, capital(strings.Join(d.tags(n), ", "))+".")
	if s := it.said(); s != "" {
		p.para(marginX, textW, 8, ink, false, s)
	}
	id := "plan " + clean(it.Plan.ID)
	if it.Plan.Parent != "" {
		id += ", made from " + clean(it.Plan.Parent)
	}
	p.para(marginX, textW, 6.5, faint, false, id)
	p.y += 1.5
	if len(it.Evaluation.Vetoes) > 0 {
		var list []string
		for _, v := range it.Evaluation.Vetoes {
			list = append(list, veto(v)+".")
		}
		p.box(red, 8, "Vetoed", list)
	}
	p.room(stripRow * 6)
	p.y += d.strips(p, n, marginX, p.y, textW) + 1
	common := Common(d.Items)
	for _, r := range texts(it.Evaluation.Reasons) {
		p.item("•", marginX, textW, 8, ink, r)
	}
	for _, w := range own(common, it) {
		p.item("!", marginX, textW, 8, colour{138, 90, 0}, "Warning: "+w)
	}
	for _, w := range texts(it.WhyNot) {
		p.item("•", marginX, textW, 8, ink, "Why not this one: "+w)
	}
	for _, k := range it.Contingency {
		p.item("→", marginX, textW, 8, ink, d.fallback(k))
	}
	p.y += 2
	if vs := it.Evaluation.Vessels; len(it.Pictures) == 1 && len(vs) <= 5 {
		p.beside(it.Pictures[0], vs)
	} else {
		p.pictures(it.Pictures, 56)
		defer p.vessels(vs)
	}
	p.quantities("Numbers", it.Evaluation.Quantities)
}

// beside puts a picture and the list of vessels next to each other.
func (p *paper) beside(pic Picture, vs []planner.VesselCut) {
	const w, h, size = 94.0, 46.0, 7.5
	p.room(h + 10)
	top := p.y
	low := p.picture(pic, marginX, top, w, h)
	for _, l := range p.wrap(pic.Caption, w, 7, false) {
		low += lead(7)
		p.text(marginX, low, 7, faint, false, left, l)
	}
	x, y := marginX+w+5, top
	put := func(s string, heavy bool) {
		for _, l := range p.wrap(s, textW-w-5, size, heavy) {
			y += lead(size)
			p.text(x, y-lead(size)*0.24, size, ink, heavy, left, l)
		}
	}
	put("Vessels cut", true)
	if len(vs) == 0 {
		put("No vessel is recorded as cut.", false)
	}
	for _, v := range vs {
		y += 1
		put(capital(vesselName(v))+":", true)
		put("radius "+measured(v.Radius), false)
		if v.Flow != nil {
			put("flow "+measured(*v.Flow), false)
		} else {
			put("flow not known", false)
		}
		put("at "+place(v.At), false)
	}
	if doubtful(vs) {
		put("* unverified source", false)
	}
	p.y = max(low, y) + 1
}

// column is one column of a grid of text.
type column struct {
	title string
	w     float64
}

// grid writes rows of wrapped cells under a head; the cell heavy is bold.
func (p *paper) grid(cols []column, rows [][]string, heavy int) {
	const size = 7.2
	head := func() {
		x := marginX
		for _, c := range cols {
			p.text(x, p.y+lead(size)*0.8, size, faint, true, left, c.title)
			x += c.w
		}
		p.y += lead(size) + 0.6
		p.line(marginX, p.y, pageW-marginX, p.y, 0.25, faint, false)
	}
	p.room(lead(size) * 4)
	head()
	for _, row := range rows {
		var cells [][]string
		most := 1
		for n, s := range row {
			l := p.wrap(s, cols[n].w-2, size, n == heavy)
			cells = append(cells, l)
			most = max(most, len(l))
		}
		if p.y+lead(size)*float64(most)+1 > bottomY {
			p.page()
			head()
		}
		x := marginX
		for n, l := range cells {
			for k, s := range l {
				p.text(x, p.y+0.5+lead(size)*(float64(k)+0.78), size, ink, n == heavy, left, s)
			}
			x += cols[n].w
		}
		p.y += lead(size)*float64(most) + 1
		p.line(marginX, p.y, pageW-marginX, p.y, 0.1, rule, false)
	}
	p.y += 2
}

// quantities is the full table of numbers.
func (p *paper) quantities(title string, qs []planner.Quantity) {
	if len(qs) == 0 {
		return
	}
	p.head(title, ink)
	var rows [][]string
	var notes []string // each basis once, by number
	for _, q := range qs {
		band, b := interval(q), clean(q.Basis)
		if !q.HasInterval() {
			band = "not quantified"
		}
		n := slices.Index(notes, b)
		if n < 0 {
			n, notes = len(notes), append(notes, b)
		}
		band += fmt.Sprintf(" [%d]", n+1)
		var said []string // the long ones by number
		for _, s := range []string{violation(q), solution(q)} {
			if s != "" {
				said = append(said, s)
			}
		}
		for _, f := range q.Flags {
			why := "outside the verified range: " + strings.TrimSuffix(clean(f), ".")
			n := slices.Index(notes, why)
			if n < 0 {
				n, notes = len(notes), append(notes, why)
			}
			said = append(said, fmt.Sprintf("! [%d]", n+1))
		}
		rows = append(rows, []string{clean(q.Label), value(q) + marks(q), band, evidence(q.Evidence), strings.Join(said, "; ")})
	}
	p.grid([]column{{"quantity", 56}, {"value", 20}, {"95 % interval [basis]", 34}, {"evidence", 27}, {"remarks", 45}}, rows, 1)
	p.y -= 1
	for n, b := range notes {
		notes[n] = fmt.Sprintf("[%d] %s.", n+1, b)
	}
	for chunk := range slices.Chunk(notes, 5) { // 5 × maxShown < maxSentence
		p.para(marginX, textW, 6.8, faint, false, strings.Join(chunk, "  "))
	}
}

// vessels is the table of the vessels cut.
func (p *paper) vessels(vs []planner.VesselCut) {
	if len(vs) == 0 {
		p.para(marginX, textW, 8, ink, false, "No vessel is recorded as cut.")
		return
	}
	p.head("Vessels cut", ink)
	var rows [][]string
	for _, v := range vs {
		flow := "not known"
		if v.Flow != nil {
			flow = measured(*v.Flow)
		}
		rows = append(rows, []string{vesselName(v), measured(v.Radius), flow, place(v.At)})
	}
	p.grid([]column{{"vessel", 46}, {"radius", 48}, {"flow", 48}, {"centre of the cut", 40}}, rows, 0)
	if doubtful(vs) {
		p.para(marginX, textW, 6.8, faint, false, "* unverified source")
	}
}

// doubtful reports a number of a vessel that rests on an unverified source.
func doubtful(vs []planner.VesselCut) bool {
	return slices.ContainsFunc(vs, func(v planner.VesselCut) bool {
		return unverified(v.Radius.Evidence) || v.Flow != nil && unverified(v.Flow.Evidence)
	})
}

// measured is a quantity in one sentence.
func measured(q planner.Quantity) string {
	in := interval(q)
	if q.HasInterval() {
		in = "95 %: " + brief(q)
	}
	return value(q) + marks(q) + " (" + strings.Join(append([]string{in}, remarks(q)...), "; ") + ")"
}

// pictures puts pictures side by side, at most h mm high.
func (p *paper) pictures(ps []Picture, h float64) {
	for n := 0; n < len(ps); n += 2 {
		pair := ps[n:min(n+2, len(ps))]
		w := textW
		if len(ps) > 1 {
			w = (textW - 4) / 2
		}
		p.room(h + 10)
		low := p.y
		for k, pic := range pair {
			x := marginX + float64(k)*(w+4)
			y := p.picture(pic, x, p.y, w, h)
			for _, l := range p.wrap(pic.Caption, w, 7, false) {
				y += lead(7)
				p.text(x, y, 7, faint, false, left, l)
			}
			low = max(low, y)
		}
		p.y = low + 3
	}
}

// imageSize is a picture's size in pixels: as it was, and the width it has in
// the document.
type imageSize struct {
	image.Point
	stored int
}

// picture draws a PNG into w × h mm, its shape kept, and returns its lower edge.
func (p *paper) picture(pic Picture, x, y, w, h float64) float64 {
	sum := sha256.Sum256(pic.PNG)
	name := hex.EncodeToString(sum[:])
	size, known := p.images[name]
	opt := fpdf.ImageOptions{ImageType: "PNG"}
	if !known {
		b, s, err := p.flat(pic.PNG)
		if err != nil { // Check read the header; the rest may still be torn
			p.text(x, y+4, 8, red, false, left, "picture cannot be read: "+err.Error())
			return y + 6
		}
		p.f.RegisterImageOptionsReader(name, opt, bytes.NewReader(b))
		p.images[name], size = s, s
	}
	scale := min(w/float64(size.X), h/float64(size.Y))
	p.f.ImageOptions(name, x, y, scale*float64(size.stored), scale*float64(size.Y), false, opt, 0, "")
	return y + scale*float64(size.Y)
}

// flat decodes a picture of any PNG kind and writes it again as 8-bit RGB on
// white, which the PDF library reads without surprise. The library orders
// pictures by their width in pixels and those of one width by chance; white
// columns at the right edge make every width a different one.
func (p *paper) flat(b []byte) ([]byte, imageSize, error) {
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, imageSize{}, err
	}
	r := m.Bounds()
	stored := r.Dx()
	for p.widths[stored] {
		stored++
	}
	p.widths[stored] = true
	out := image.NewRGBA(image.Rect(0, 0, stored, r.Dy()))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, image.Rect(0, 0, r.Dx(), r.Dy()), m, r.Min, draw.Over)
	var buf bytes.Buffer
	if err := png.Encode(&buf, out); err != nil {
		return nil, imageSize{}, err
	}
	return buf.Bytes(), imageSize{r.Size(), stored}, nil
}

// method is the last part: case pictures, organ, rejected plans, rules, method,
// sources.
func (p *paper) method(d *Dossier) {
	p.mark("The case, and how these numbers came about")
	p.para(marginX, textW, 13, ink, true, "The case, and how these numbers came about")
	p.y += 1
	p.pictures(d.Pictures[p.shown:], 80)
	p.quantities("The organ", d.Found)
	if len(d.Rejected) > 0 {
		p.head("Nearest rejected plans", ink)
		for _, it := range d.Rejected {
			p.para(marginX, textW, 8.5, ink, true, planName(it))
			for _, v := range it.Evaluation.Vetoes {
				p.item("•", marginX, textW, 8, red, veto(v)+".")
			}
			for _, w := range texts(it.WhyNot) {
				p.item("•", marginX, textW, 8, ink, w)
			}
		}
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		p.head(title, ink)
		for _, l := range lines {
			p.item("•", marginX, textW, 8, ink, l)
		}
	}
	var limits []string
	for _, l := range d.Limits {
		limits = append(limits, limitText(l)+".")
	}
	list("Rules of this case", limits)
	list("Method, and what was left out", texts(d.Method))
	list("Sources", texts(d.Sources))
	list("How to read the numbers", []string{reading})
	var ids []string
	for _, kv := range d.identity() {
		ids = append(ids, capital(kv[0])+": "+kv[1])
	}
	list("What this dossier is made from", ids)
}
