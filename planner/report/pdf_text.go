package report

import (
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// paper is a PDF under construction: A4 portrait, mm, y downwards.
type paper struct {
	f    *fpdf.Fpdf
	used [faces]bool
	y    float64 // where the next block starts
	// face and size are those the page's content has set; size 0: none.
	face face
	size float64
	page func() // begins a page
	// images are the pictures by content, widths their widths in pixels.
	images map[string]imageSize
	shown  int // pictures of the case that stand on the first page
	widths map[int]bool
}

// A4 and its margins, mm.
const (
	pageW, pageH  = 210.0, 297.0
	marginX       = 14.0
	textW         = pageW - 2*marginX
	topY, bottomY = 22.0, 279.0
)

func (p *paper) set(f face, size float64) {
	if !p.used[f] {
		// The library keeps and rewrites parts of what it is given.
		p.f.AddUTF8FontFromBytes(family[f], "", append([]byte(nil), f.ttf()...))
		p.used[f] = true
	}
	if p.face != f || p.size != size {
		p.f.SetFont(family[f], "", size)
		p.face, p.size = f, size
	}
}

// mark puts the page into the outline of the document.
func (p *paper) mark(title string) {
	p.set(plain, 9)
	p.f.Bookmark(basic(shortened(title, 80)), 0, 0)
}

// basic keeps the Basic Multilingual Plane, which is what the library writes
// into titles.
func basic(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func (p *paper) width(s string, size float64, heavy bool) float64 {
	w := 0.0
	for _, r := range shape(s, heavy) {
		w += r.width(size)
	}
	return w
}

// width is the width of a run at a size in points, mm.
func (r run) width(size float64) float64 {
	w := 0
	for _, c := range r.text {
		w += max(0, r.face.advance(c))
	}
	return float64(w) * size * mmPerPoint / 1000
}

// text draws one line; y is its baseline.
func (p *paper) text(x, y, size float64, c colour, heavy bool, a anchor, s string) {
	s = sentence(s)
	runs := shape(s, heavy)
	if a != left {
		w := p.width(s, size, heavy)
		if a == middle {
			w /= 2
		}
		x -= w
	}
	for _, r := range runs {
		p.set(r.face, size)
		p.f.SetTextColor(int(c.r), int(c.g), int(c.b))
		if r.missing {
			p.f.SetTextColor(int(faint.r), int(faint.g), int(faint.b))
		}
		p.f.Text(x, y, r.text)
		x += r.width(size)
	}
}

func (p *paper) line(x1, y1, x2, y2, width float64, c colour, dashed bool) {
	p.f.SetLineWidth(width)
	p.f.SetDrawColor(int(c.r), int(c.g), int(c.b))
	if dashed {
		p.f.SetDashPattern([]float64{1, 0.8}, 0)
	}
	p.f.Line(x1, y1, x2, y2)
	if dashed {
		p.f.SetDashPattern(nil, 0)
	}
}

func (p *paper) rect(x, y, w, h float64, fill colour) {
	p.f.SetFillColor(int(fill.r), int(fill.g), int(fill.b))
	p.f.Rect(x, y, max(0, w), max(0, h), "F")
}

func (p *paper) dot(x, y, r float64, c colour, hollow bool) {
	p.f.SetLineWidth(0.35)
	p.f.SetDrawColor(int(c.r), int(c.g), int(c.b))
	p.f.SetFillColor(int(c.r), int(c.g), int(c.b))
	style := "FD"
	if hollow {
		style = "D"
	}
	p.f.Circle(x, y, r, style)
}

// wrap breaks a cleaned text into lines of at most w mm: at blanks, between
// ideographs, and inside what is longer than a line.
func (p *paper) wrap(s string, w, size float64, heavy bool) []string {
	var lines []string
	current, used := "", 0.0
	flush := func() {
		if t := strings.TrimRight(current, " "); t != "" {
			lines = append(lines, t)
		}
		current, used = "", 0
	}
	for _, word := range words(sentence(s)) {
		wide := p.width(word, size, heavy)
		bare := wide
		if strings.HasSuffix(word, " ") {
			bare = p.width(strings.TrimRight(word, " "), size, heavy)
		}
		if used+bare > w {
			flush()
		}
		for bare > w { // longer than a line: as much of it as fits
			runes, n, at := []rune(word), 0, 0.0
			for n < len(runes) {
				at += p.width(string(runes[n]), size, heavy)
				if at > w && n > 0 {
					break
				}
				n++
			}
			if n >= len(runes) {
				break
			}
			lines = append(lines, string(runes[:n]))
			word = string(runes[n:])
			wide = p.width(word, size, heavy)
			bare = p.width(strings.TrimRight(word, " "), size, heavy)
		}
		current += word
		used += wide
	}
	flush()
	return lines
}

// words splits a text where a line may end; blanks stay with the word before.
func words(s string) []string {
	var out []string
	start, before := 0, ' '
	for n, r := range s {
		ideograph := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
		if n > start && (before == ' ' && r != ' ' || ideograph) {
			out = append(out, s[start:n])
			start = n
		}
		before = r
	}
	return append(out, s[start:])
}

// fit shortens a text to one line of w mm.
func (p *paper) fit(s string, w, size float64, heavy bool) string {
	s = sentence(s)
	if p.width(s, size, heavy) <= w {
		return s
	}
	cut := []rune(s)
	used, n := p.width("…", size, heavy), 0
	for ; n < len(cut); n++ {
		if used += p.width(string(cut[n]), size, heavy); used > w {
			break
		}
	}
	return strings.TrimRight(string(cut[:n]), " ") + "…"
}

// lead is the distance of lines at a size in points, mm.
func lead(size float64) float64 { return size * mmPerPoint * 1.28 }

// room begins a page unless h mm are left on this one.
func (p *paper) room(h float64) {
	if p.y+h > bottomY && p.y > topY+1 {
		p.page()
	}
}

// para writes a paragraph of w mm at x and moves down.
func (p *paper) para(x, w, size float64, c colour, heavy bool, s string) {
	for _, l := range p.wrap(s, w, size, heavy) {
		p.room(lead(size))
		p.y += lead(size)
		p.text(x, p.y-lead(size)*0.24, size, c, heavy, left, l)
	}
}

// item is para with a sign before it.
func (p *paper) item(sign string, x, w, size float64, c colour, s string) {
	lines := p.wrap(s, w-3.2, size, false)
	p.room(lead(size) * float64(min(len(lines), 3)))
	for n, l := range lines {
		p.room(lead(size))
		p.y += lead(size)
		if n == 0 {
			p.text(x, p.y-lead(size)*0.24, size, c, false, left, sign)
		}
		p.text(x+3.2, p.y-lead(size)*0.24, size, c, false, left, l)
	}
}

// head writes a heading.
func (p *paper) head(s string, c colour) {
	p.room(18)
	p.y += 3
	p.para(marginX, textW, 11, c, true, s)
	p.y += 0.8
}

// box writes paragraphs on a tinted band with a coloured edge.
func (p *paper) box(edge colour, size float64, heads string, list []string) {
	var lines []string
	for _, s := range list {
		lines = append(lines, p.wrap(s, textW-8, size, false)...)
	}
	var top []string
	if heads != "" {
		top = p.wrap(heads, textW-8, size+0.5, true)
	}
	h := lead(size)*float64(len(lines)) + lead(size+0.5)*float64(len(top)) + 2.4
	p.room(min(h, 60))
	whole := p.y+h <= bottomY
	if whole {
		p.rect(marginX, p.y, textW, h, edge.mix(0.12))
		p.rect(marginX, p.y, 1.2, h, edge)
	}
	p.y += 1
	for _, l := range top {
		p.para(marginX+4, textW, size+0.5, ink, true, l)
	}
	for _, l := range lines {
		p.para(marginX+4, textW, size, ink, false, l)
	}
	p.y += 1.4 + 1.6
}
