package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// svg is a canvas that writes SVG elements. Only presentation attributes are
// used, so no style needs the consent of a content security policy.
type svg struct{ b strings.Builder }

func (c colour) hex() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func (s *svg) line(x1, y1, x2, y2, width float64, c colour, dashed bool) {
	dash := ""
	if dashed {
		dash = ` stroke-dasharray="1 0.8"`
	}
	fmt.Fprintf(&s.b, `<line x1="%.2f" y1="%.2f" x2="%.2f" y2="%.2f" stroke="%s" stroke-width="%.2f"%s/>`, x1, y1, x2, y2, c.hex(), width, dash)
}

func (s *svg) rect(x, y, w, h float64, fill colour) {
	fmt.Fprintf(&s.b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`, x, y, max(0, w), max(0, h), fill.hex())
}

func (s *svg) dot(x, y, r float64, c colour, hollow bool) {
	fill := c.hex()
	if hollow {
		fill = "none"
	}
	fmt.Fprintf(&s.b, `<circle cx="%.2f" cy="%.2f" r="%.2f" fill="%s" stroke="%s" stroke-width="0.35"/>`, x, y, r, fill, c.hex())
}

func (s *svg) text(x, y, size float64, c colour, bold bool, a anchor, text string) {
	weight := ""
	if bold {
		weight = ` font-weight="600"`
	}
	fmt.Fprintf(&s.b, `<text x="%.2f" y="%.2f" font-size="%.2f" fill="%s" text-anchor="%s"%s>%s</text>`,
		x, y, size*mmPerPoint, c.hex(), [...]string{"start", "middle", "end"}[a], weight, html.EscapeString(clean(text)))
}

const mmPerPoint = 25.4 / 72

// picture draws into an SVG element of w × h mm that says what it shows.
func picture(w, h float64, alt string, draw func(canvas)) template.HTML {
	s := &svg{}
	draw(s)
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.2f %.2f" role="img" aria-label="%s" font-family="system-ui, sans-serif">%s</svg>`,
		w, h, html.EscapeString(clean(alt)), s.b.String()))
}
