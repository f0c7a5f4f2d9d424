package report

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
	"unicode"

	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The faces of the PDF, in the order they are tried. Licences and where the
// files come from: fonts/SOURCES.md.
type face uint8

const (
	plain face = iota // DejaVu Sans Condensed: Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian, symbols
	bold              // the same, bold
	han               // WenQuanYi Micro Hei: Chinese, Japanese kana, Korean
	thai              // Noto Sans Thai
	faces
)

// family are the names of the faces in the PDF.
var family = [faces]string{"sans", "sansb", "han", "thai"}

//go:embed fonts/wqy-microhei.ttf.gz
var hanGZ []byte

//go:embed fonts/NotoSansThai-Regular.ttf
var thaiTTF []byte

// hanTTF unpacks the face when a text first needs it.
var hanTTF = sync.OnceValue(func() []byte {
	z, err := gzip.NewReader(bytes.NewReader(hanGZ))
	if err != nil {
		panic("report: embedded font: " + err.Error())
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic("report: embedded font: " + err.Error())
	}
	return b
})

func (f face) ttf() []byte {
	switch f {
	case plain:
		return dejavusanscondensed.TTF
	case bold:
		return dejavusanscondensedbold.TTF
	case han:
		return hanTTF()
	}
	return thaiTTF
}

// coverage answers which characters a face can draw and how wide they are. A
// face that maps a character to an empty outline cannot draw it.
type coverage struct {
	mu   sync.Mutex // guards buf and seen
	font *sfnt.Font
	buf  sfnt.Buffer
	seen map[rune]int
}

// notDrawn marks a character without a glyph.
const notDrawn = -1

var coverages = func() (out [faces]func() *coverage) {
	for f := range faces {
		out[f] = sync.OnceValue(func() *coverage {
			font, err := sfnt.Parse(f.ttf())
			if err != nil {
				panic("report: embedded font: " + err.Error())
			}
			return &coverage{font: font, seen: map[rune]int{}}
		})
	}
	return out
}()

// advance is the width of r in thousandths of the size, notDrawn when the face
// does not draw it. The PDF library knows the Basic Multilingual Plane alone.
func (f face) advance(r rune) int {
	if r >= 0xFFFE || r < ' ' {
		return notDrawn
	}
	if f >= han && r < 0x0E00 { // spare the large face
		return notDrawn
	}
	c := coverages[f]()
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, known := c.seen[r]; known {
		return w
	}
	w := c.measure(r)
	c.seen[r] = w
	return w
}

func (c *coverage) measure(r rune) int {
	n, err := c.font.GlyphIndex(&c.buf, r)
	if err != nil || n == 0 {
		return notDrawn
	}
	const em = 1000
	if segments, err := c.font.LoadGlyph(&c.buf, n, fixed.I(em), nil); err != nil || len(segments) == 0 && !unicode.IsSpace(r) {
		return notDrawn
	}
	w, err := c.font.GlyphAdvance(&c.buf, n, fixed.I(em), font.HintingNone)
	if err != nil {
		return notDrawn
	}
	return w.Round()
}

func (f face) has(r rune) bool { return f.advance(r) != notDrawn }

// faceOf is the first face that draws r, faces when none does.
func faceOf(r rune, heavy bool) face {
	first := plain
	if heavy {
		first = bold
	}
	for _, f := range []face{first, han, thai} {
		if f.has(r) {
			return f
		}
	}
	return faces
}
