package meshio

import (
	"encoding/binary"
	"strings"

	"halsted/imaging"
)

func (p *plyReader) header() ([]plyElement, error) {
	if b, _ := p.nextLine(); string(b) != "ply" {
		return nil, p.bad("", "the file does not begin with ply")
	}
	var elements []plyElement
	format := false
	for {
		b, ok := p.nextLine()
		if !ok || p.pos > 1<<20 {
			return nil, p.short("inside the header")
		}
		w := strings.Fields(string(b))
		if len(w) == 0 {
			continue
		}
		switch {
		case w[0] == "end_header":
			if !format {
				return nil, p.bad("", "the header names no format")
			}
			return elements, nil
		case w[0] == "comment" || w[0] == "obj_info":
			p.comment(w)
		case w[0] == "format" && len(w) >= 2:
			format = true
			switch w[1] {
			case "ascii":
				p.text = true
			case "binary_little_endian":
				p.order = binary.LittleEndian
			case "binary_big_endian":
				p.order = binary.BigEndian
			default:
				return nil, p.bad("export as ascii or binary PLY", "unknown format %s", quote(w[1]))
			}
		case w[0] == "element" && len(w) == 3:
			n, ok := parseInt([]byte(w[2]))
			if !ok || n < 0 || len(elements) > 100 {
				return nil, p.bad("", "%s is no count of elements", quote(w[2]))
			}
			elements = append(elements, plyElement{name: w[1], count: n})
		case w[0] == "property" && len(elements) > 0:
			e := &elements[len(elements)-1]
			if len(e.props) > 1000 {
				return nil, p.bad("", "more than 1000 properties")
			}
			prop := plyProperty{name: w[len(w)-1]}
			if len(w) == 5 && w[1] == "list" {
				prop.count, prop.item = plyKinds[w[2]], plyKinds[w[3]]
				if prop.count == 0 || prop.count > 6 {
					return nil, p.bad("", "%s cannot count a list", quote(w[2]))
				}
			} else if len(w) == 3 {
				prop.item = plyKinds[w[1]]
			}
			if prop.item == 0 {
				return nil, p.bad("", "cannot understand the property %s", quote(b))
			}
			e.props = append(e.props, prop)
		default:
			return nil, p.bad("", "cannot understand the header line %s", quote(b))
		}
	}
}

// comment looks for what a file of ours says: its unit, and names of labels.
func (p *plyReader) comment(w []string) {
	line := strings.Join(w[1:], " ")
	if u := markedUnit(line); u != 0 {
		p.unit = u
	}
	if len(w) == 4 && w[1] == "label" {
		if l, ok := parseInt([]byte(w[2])); ok && l >= 0 && l < 256 && w[3] != imaging.Label(l).String() {
			p.names = append(p.names, regionKey{tag: l, name: w[3]})
		}
	}
}
