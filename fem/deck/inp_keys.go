package deck

import (
	"strings"
)

// inpSection is a *SOLID SECTION, *MEMBRANE SECTION, ….
type inpSection struct {
	key      inpKey
	elset    string
	material string
	value    float64 // thickness or area
}

// inpOutput are keywords that ask for output or tune the other solver.
var inpOutput = map[string]bool{
	"NODEPRINT": true, "ELPRINT": true, "NODEFILE": true, "ELFILE": true, "NODEOUTPUT": true, "ELEMENTOUTPUT": true, "OUTPUT": true,
	"PREPRINT": true, "RESTART": true, "FILEFORMAT": true, "MONITOR": true, "PRINT": true, "CONTACTFILE": true, "CONTACTPRINT": true,
	"CONTACTOUTPUT": true, "ENERGYFILE": true, "ENERGYPRINT": true, "ENERGYOUTPUT": true, "SECTIONPRINT": true, "SECTIONFILE": true,
	"FACEPRINT": true, "CONTROLS": true, "SOLVERCONTROLS": true, "DIAGNOSTICS": true, "TIMEPOINTS": true, "DATACHECK": true,
	"VIEWFACTOR": true, "FILTER": true, "RADIALFILE": true, "NOANALYSIS": true, "INTEGRATEDOUTPUT": true, "INTEGRATEDOUTPUTSECTION": true,
	// what only other analyses look at
	"EXPANSION": true, "CONDUCTIVITY": true, "SPECIFICHEAT": true, "DAMPING": true, "PHYSICALCONSTANTS": true, "HOURGLASSSTIFFNESS": true,
	"SECTIONCONTROLS": true,
}

// do acts on one keyword.
func (r *inp) do(k *inpKey) error {
	switch k.name {
	case "NODE":
		return r.nodes(k)
	case "ELEMENT":
		return r.elements(k)
	case "NSET":
		return r.sets(k, "NSET", r.nsets)
	case "ELSET":
		return r.sets(k, "ELSET", r.elsets)
	case "SURFACE":
		return r.surface(k)
	case "HEADING":
		return r.heading()
	case "PART", "ENDPART", "ASSEMBLY", "ENDASSEMBLY", "ENDINSTANCE":
		return r.skipData()
	case "INSTANCE":
		if r.instances++; r.instances > 1 {
			return k.bad("write a flat file (Abaqus: no parts and assemblies)", "more than one instance")
		}
		if moved, err := r.more(); err != nil {
			return err
		} else if moved {
			return k.bad("write a flat file (Abaqus: no parts and assemblies)", "the instance is moved")
		}
		return nil
	}
	if r.meshOnly {
		return r.skipData()
	}
	if inpOutput[k.name] {
		if !r.ignored[k.name] {
			r.ignored[k.name] = true
			r.rep.note(k.place, false, "%s is left out: it does not change the solution", k.keyword)
		}
		return r.skipData()
	}
	switch k.name {
	case "MATERIAL", "ELASTIC", "HYPERELASTIC", "DENSITY", "VISCOELASTIC", "PLASTIC":
		return r.materialKey(k)
	case "SOLIDSECTION", "MEMBRANESECTION":
		return r.section(k)
	case "SPRING":
		return r.spring(k)
	case "TIE":
		return r.tie(k)
	case "CONTACTPAIR":
		return r.contactPair(k)
	case "SURFACEINTERACTION", "SURFACEBEHAVIOR", "FRICTION":
		return r.interaction(k)
	case "STEP":
		return r.beginStep(k)
	case "ENDSTEP":
		if r.step == nil {
			return k.bad("", "ends no *STEP")
		}
		r.step = nil
		return r.skipData()
	case "STATIC", "VISCO":
		return r.static(k)
	case "BOUNDARY":
		return r.boundary(k)
	case "CLOAD":
		return r.cload(k)
	case "DLOAD", "DSLOAD":
		return r.dload(k)
	case "AMPLITUDE":
		return k.bad("let the loads grow in proportion to time, one *STEP for each piece", "amplitudes are not followed")
	}
	return k.bad("remove it, or solve the file with its own program", "is not understood, and may change the solution")
}

func (r *inp) heading() error {
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		from := r.src.pos
		r.src.skipLine()
		if r.rep.Title == "" {
			r.rep.Title = strings.ToValidUTF8(strings.TrimSpace(string(r.src.data[from:r.src.pos])), "?")
		}
	}
}

// allow refuses parameters that are not listed.
func (k *inpKey) allow(names ...string) error {
	for p := range k.params {
		ok := false
		for _, n := range names {
			ok = ok || n == p
		}
		if !ok {
			return k.bad("remove it if it does not matter", "the parameter %s is not understood", p)
		}
	}
	return nil
}

// section reads *SOLID SECTION and *MEMBRANE SECTION.
func (r *inp) section(k *inpKey) error {
	if err := k.allow("ELSET", "MATERIAL", "CONTROLS", "ORIENTATION"); err != nil {
		return err
	}
	s := inpSection{key: *k, elset: k.params["ELSET"], material: k.params["MATERIAL"]}
	if s.elset == "" || s.material == "" {
		return k.bad("write ELSET=name, MATERIAL=name", "names no element set or no material")
	}
	if k.has("ORIENTATION") {
		return k.bad("remove it: the laws of these files are isotropic", "orientations are not read")
	}
	for {
		ok, err := r.more()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		p := r.here(k)
		f := r.src.fields()
		if len(f) > 0 && len(f[0]) > 0 {
			if s.value, ok = parseFloat(f[0]); !ok {
				return p.bad("", "%s is not a finite number", quote(f[0]))
			}
		}
	}
	if k.name == "SOLIDSECTION" {
		r.sections = append(r.sections, s)
	} else {
		r.flatSections = append(r.flatSections, s)
	}
	return nil
}
