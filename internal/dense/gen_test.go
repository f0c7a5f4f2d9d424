package dense

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite kernels_amd64.s")

const assembly = "kernels_amd64.s"

// TestAssemblyIsWhatTheGeneratorWrites keeps kernels_amd64.s and its
// description in step; -update rewrites the file.
func TestAssemblyIsWhatTheGeneratorWrites(t *testing.T) {
	want := generate()
	if *update {
		if err := os.WriteFile(assembly, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(assembly)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error(assembly + " is not what generate writes; run go test -run Assembly -update ./internal/dense")
	}
}

// isa is a vector instruction set.
type isa struct {
	name  string
	reg   string // vector register prefix
	bytes int    // of a vector register
	nr    int    // columns of a tile
	temps int    // registers that broadcasts rotate through
}

// number is a type of number.
type number struct {
	bits  int
	p, s  string // suffix of packed and scalar instructions
	bytes int
}

var (
	isas    = []isa{{"AVX2", "Y", 32, 4, 1}, {"AVX512", "Z", 64, 8, 4}}
	numbers = []number{{64, "PD", "SD", 8}, {32, "PS", "SS", 4}}
)

type writer struct{ strings.Builder }

func (w *writer) f(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func generate() string {
	w := new(writer)
	w.f("// Written by generate in gen_test.go. DO NOT EDIT.\n")
	w.f("#include \"textflag.h\"\n")
	w.f("// Eight ones and eight zeros for loads of less than a register.")
	for _, n := range numbers {
		count := 64 / n.bytes
		for i := range 2 * count {
			v := "0"
			if i < count {
				v = "-1"
			}
			w.f("DATA ones%d<>+%d(SB)/%d, $%s", n.bits, i*n.bytes, n.bytes, v)
		}
		w.f("GLOBL ones%d<>(SB), RODATA|NOPTR, $%d\n", n.bits, 2*count*n.bytes)
	}
	for _, v := range isas {
		for _, n := range numbers {
			tile(w, v, n)
			solve(w, v, n)
		}
	}
	for _, n := range numbers {
		sub(w, n)
		dot(w, n)
		addBlocks(w, n)
	}
	copyRunsOf(w)
	return strings.TrimSuffix(w.String(), "\n")
}

// tile writes C −= A·Bᵀ for one strip of A: 3 registers high, nr columns wide,
// one accumulator for every entry.
func tile(w *writer, v isa, n number) {
	mr := 3 * v.bytes / n.bytes
	acc := func(i, j int) string { return fmt.Sprintf("%s%d", v.reg, 3*j+i) }
	a := func(i int) string { return fmt.Sprintf("%s%d", v.reg, 3*v.nr+i) }
	b := func(j int) string { return fmt.Sprintf("%s%d", v.reg, 3*v.nr+3+j%v.temps) }
	w.f("// func tile%d%s(nb, k int, a, b, c *float%d, ldc int)", n.bits, v.name, n.bits)
	w.f("//\n// Tiles of %d×%d: C −= A·Bᵀ for nb consecutive B.", mr, v.nr)
	w.f("TEXT ·tile%d%s(SB), NOSPLIT, $0-48", n.bits, v.name)
	for i, s := range []string{"nb+0(FP), R9", "k+8(FP), R10", "a+16(FP), R11", "b+24(FP), DI", "c+32(FP), DX", "ldc+40(FP), R8"} {
		_ = i
		w.f("\tMOVQ %s", s)
	}
	w.f("\tSHLQ $%d, R8", map[int]int{8: 3, 4: 2}[n.bytes])
	w.f("\tTESTQ R9, R9\n\tJEQ done")
	w.f("\nnext:")
	w.f("\tMOVQ R11, SI\n\tMOVQ R10, CX")
	w.f("\tMOVQ DX, BX")
	for j := range v.nr {
		for at := 0; at < 3*v.bytes; at += 64 {
			w.f("\tPREFETCHT0 %d(BX)", at)
		}
		if j+1 < v.nr {
			w.f("\tADDQ R8, BX")
		}
	}
	for j := range v.nr {
		for i := range 3 {
			if v.reg == "Z" {
				w.f("\tVPXORQ %[1]s, %[1]s, %[1]s", acc(i, j))
			} else {
				w.f("\tVXORPD %[1]s, %[1]s, %[1]s", acc(i, j))
			}
		}
	}
	step := func(u int) {
		for i := range 3 {
			w.f("\tVMOVU%s %d(SI), %s", n.p, u*3*v.bytes+i*v.bytes, a(i))
		}
		for j := range v.nr {
			w.f("\tVBROADCAST%s %d(DI), %s", n.s, (u*v.nr+j)*n.bytes, b(j))
			for i := range 3 {
				w.f("\tVFMADD231%s %s, %s, %s", n.p, b(j), a(i), acc(i, j))
			}
		}
	}
	const unroll = 2
	w.f("\tSUBQ $%d, CX\n\tJLT rest\n", unroll)
	w.f("loop:")
	for u := range unroll {
		step(u)
	}
	w.f("\tADDQ $%d, SI\n\tADDQ $%d, DI\n\tSUBQ $%d, CX\n\tJGE loop\n", unroll*3*v.bytes, unroll*v.nr*n.bytes, unroll)
	w.f("rest:\n\tADDQ $%d, CX\n\tJEQ store", unroll)
	step(0)
	w.f("\tADDQ $%d, DI\n", v.nr*n.bytes)
	w.f("store:")
	for j := range v.nr {
		for i := range 3 {
			w.f("\tVMOVU%s %d(DX), %s", n.p, i*v.bytes, a(i))
		}
		for i := range 3 {
			w.f("\tVSUB%s %s, %s, %s", n.p, acc(i, j), a(i), a(i))
		}
		for i := range 3 {
			w.f("\tVMOVU%s %s, %d(DX)", n.p, a(i), i*v.bytes)
		}
		w.f("\tADDQ R8, DX")
	}
	w.f("\tDECQ R9\n\tJNE next\n")
	w.f("done:\n\tVZEROUPPER\n\tRET\n")
}

// solve writes C ← C·T⁻ᵀ for eight columns of strips.
func solve(w *writer, v isa, n number) {
	mr := 3 * v.bytes / n.bytes
	w.f("// func solve%d%s(strips int, t, c *float%d, sc int)", n.bits, v.name, n.bits)
	w.f("//\n// C ← C·T⁻ᵀ for strips of %d rows and eight columns, sc apart.", mr)
	w.f("TEXT ·solve%d%s(SB), NOSPLIT, $0-32", n.bits, v.name)
	for _, s := range []string{"strips+0(FP), R9", "t+8(FP), SI", "c+16(FP), DI", "sc+24(FP), R8"} {
		w.f("\tMOVQ %s", s)
	}
	w.f("\tSHLQ $%d, R8", map[int]int{8: 3, 4: 2}[n.bytes])
	w.f("\tTESTQ R9, R9\n\tJEQ done\n")
	w.f("next:\n\tMOVQ DI, DX\n\tMOVQ $3, CX\n")
	w.f("loop:")
	for j := range 8 {
		w.f("\tVMOVU%s %d(DX), %s%d", n.p, j*mr*n.bytes, v.reg, j)
	}
	turn := 0
	broadcast := func(at int) string {
		r := fmt.Sprintf("%s%d", v.reg, 8+turn%8)
		turn++
		w.f("\tVBROADCAST%s %d(SI), %s", n.s, at*n.bytes, r)
		return r
	}
	for p := range 8 {
		r := broadcast(8*p + p)
		w.f("\tVMUL%s %s, %s%d, %s%d", n.p, r, v.reg, p, v.reg, p)
		w.f("\tVMOVU%s %s%d, %d(DX)", n.p, v.reg, p, p*mr*n.bytes)
		for j := p + 1; j < 8; j++ {
			r := broadcast(8*j + p)
			w.f("\tVFNMADD231%s %s, %s%d, %s%d", n.p, r, v.reg, p, v.reg, j)
		}
	}
	w.f("\tADDQ $%d, DX\n\tDECQ CX\n\tJNE loop", v.bytes)
	w.f("\tADDQ R8, DI\n\tDECQ R9\n\tJNE next\n")
	w.f("done:\n\tVZEROUPPER\n\tRET\n")
}

// sub writes y −= x₀·l₀ + x₁·l₁ + …, one product after the other, for one to
// four columns in chunks of 64 bytes.
func sub(w *writer, n number) {
	lanes := 64 / n.bytes
	w.f("// func sub%dAVX2(cols, rows int, l, x, y *float%d)", n.bits, n.bits)
	w.f("TEXT ·sub%dAVX2(SB), NOSPLIT, $0-40", n.bits)
	w.f("\tMOVQ rows+8(FP), CX\n\tMOVQ l+16(FP), SI\n\tMOVQ x+24(FP), BX\n\tMOVQ y+32(FP), DI")
	w.f("\tMOVQ cols+0(FP), AX\n\tCMPQ AX, $1\n\tJEQ c1\n\tCMPQ AX, $2\n\tJEQ c2\n\tCMPQ AX, $3\n\tJEQ c3\n")
	for cols := 4; cols > 0; cols-- {
		w.f("c%d:", cols)
		for q := range cols {
			w.f("\tVBROADCAST%s %d(BX), Y%d", n.s, q*n.bytes, 12+q)
		}
		w.f("\tSUBQ $%d, CX\n\tJLT tail%d\n\nloop%d:", lanes, cols, cols)
		for i := range 2 {
			w.f("\tVMOVU%s %d(DI), Y%d", n.p, 32*i, i)
		}
		for q := range cols {
			for i := range 2 {
				w.f("\tVFNMADD231%s %d(SI), Y%d, Y%d", n.p, 64*q+32*i, 12+q, i)
			}
		}
		for i := range 2 {
			w.f("\tVMOVU%s Y%d, %d(DI)", n.p, i, 32*i)
		}
		w.f("\tADDQ $%d, SI\n\tADDQ $64, DI\n\tSUBQ $%d, CX\n\tJGE loop%d\n", 64*cols, lanes, cols)
		w.f("tail%d:\n\tADDQ $%d, CX\n\tJEQ done", cols, lanes)
		for q := 1; q < cols; q++ { // R8, R9, R10: where the other columns begin
			prev := []string{"SI", "R8", "R9"}[q-1]
			w.f("\tLEAQ (%s)(CX*%d), R%d", prev, n.bytes, 7+q)
		}
		col := []string{"SI", "R8", "R9", "R10"}
		w.f("\tXORQ AX, AX\n\tSUBQ $4, CX\n\tJLT few%d\n\nfour%d:", cols, cols)
		reg := map[int]string{8: "Y", 4: "X"}[n.bytes]
		w.f("\tVMOVU%s (DI)(AX*1), %s0", n.p, reg)
		for q := range cols {
			w.f("\tVFNMADD231%s (%s)(AX*1), %s%d, %s0", n.p, col[q], reg, 12+q, reg)
		}
		w.f("\tVMOVU%s %s0, (DI)(AX*1)\n\tADDQ $%d, AX\n\tSUBQ $4, CX\n\tJGE four%d\n", n.p, reg, 4*n.bytes, cols)
		w.f("few%d:\n\tADDQ $4, CX\n\tJEQ done\n\nlast%d:", cols, cols)
		w.f("\tVMOV%s (DI)(AX*1), X0", n.s)
		for q := range cols {
			w.f("\tVFNMADD231%s (%s)(AX*1), X%d, X0", n.s, col[q], 12+q)
		}
		w.f("\tVMOV%s X0, (DI)(AX*1)\n\tADDQ $%d, AX\n\tDECQ CX\n\tJNE last%d\n\tJMP done\n", n.s, n.bytes, cols)
	}
	w.f("done:\n\tVZEROUPPER\n\tRET\n")
}

// dot writes the products of one to four columns with y, each summed in 64
// bytes of lanes.
func dot(w *writer, n number) {
	lanes := 64 / n.bytes
	w.f("// func dot%dAVX2(cols, rows int, l, y, out *float%d)", n.bits, n.bits)
	w.f("TEXT ·dot%dAVX2(SB), NOSPLIT, $0-40", n.bits)
	w.f("\tMOVQ rows+8(FP), CX\n\tMOVQ l+16(FP), SI\n\tMOVQ y+24(FP), DI\n\tMOVQ out+32(FP), DX")
	for i := range 8 {
		w.f("\tVXORPD Y%[1]d, Y%[1]d, Y%[1]d", i)
	}
	w.f("\tMOVQ cols+0(FP), AX\n\tCMPQ AX, $1\n\tJEQ c1\n\tCMPQ AX, $2\n\tJEQ c2\n\tCMPQ AX, $3\n\tJEQ c3\n")
	for cols := 4; cols > 0; cols-- {
		w.f("c%d:", cols)
		w.f("\tSUBQ $%d, CX\n\tJLT tail%d\n\nloop%d:", lanes, cols, cols)
		for i := range 2 {
			w.f("\tVMOVU%s %d(DI), Y%d", n.p, 32*i, 8+i)
		}
		for q := range cols {
			for i := range 2 {
				w.f("\tVFMADD231%s %d(SI), Y%d, Y%d", n.p, 64*q+32*i, 8+i, 2*q+i)
			}
		}
		w.f("\tADDQ $%d, SI\n\tADDQ $64, DI\n\tSUBQ $%d, CX\n\tJGE loop%d\n", 64*cols, lanes, cols)
		w.f("tail%d:\n\tADDQ $%d, CX\n\tJEQ sum", cols, lanes)
		w.f("\tSHLQ $%d, CX\n\tLEAQ ones%d<>+64(SB), BX\n\tSUBQ CX, BX", map[int]int{8: 3, 4: 2}[n.bytes], n.bits)
		for i := range 2 {
			w.f("\tVMOVU%s %d(BX), Y%d", n.p, 32*i, 10+i)
			w.f("\tVMASKMOV%s %d(DI), Y%d, Y%d", n.p, 32*i, 10+i, 8+i)
		}
		for q := range cols {
			for i := range 2 {
				w.f("\tVMASKMOV%s %d(SI), Y%d, Y12", n.p, 32*i, 10+i)
				w.f("\tVFMADD231%s Y12, Y%d, Y%d", n.p, 8+i, 2*q+i)
			}
			if q+1 < cols {
				w.f("\tADDQ CX, SI")
			}
		}
		if cols > 1 {
			w.f("\tJMP sum\n")
		}
	}
	w.f("\nsum:")
	for q := range 4 {
		w.f("\tVADD%s Y%d, Y%d, Y%d", n.p, 2*q+1, 2*q, 2*q)
		w.f("\tVEXTRACTF128 $1, Y%d, X12\n\tVADD%s X12, X%d, X%d", 2*q, n.p, 2*q, 2*q)
		if n.bits == 32 {
			w.f("\tVPERMILPS $14, X%d, X12\n\tVADDPS X12, X%d, X%d", 2*q, 2*q, 2*q)
		}
		w.f("\tVPERMIL%s $1, X%d, X12\n\tVADD%s X12, X%d, X%d", n.p, 2*q, n.s, 2*q, 2*q)
		w.f("\tVMOV%s X%d, %d(DX)", n.s, 2*q, q*n.bytes)
	}
	w.f("\tVZEROUPPER\n\tRET\n")
}

// addBlocks writes dst += src for runs of rows of 3 columns each.
func addBlocks(w *writer, n number) {
	shift := map[int]int{8: 3, 4: 2}[n.bytes]
	reg := map[int]string{8: "Y", 4: "X"}[n.bytes] // four numbers
	w.f("// func add%dAVX2(cols int, offset *int, rows, mr int, dst, src *float%d)", n.bits, n.bits)
	w.f("TEXT ·add%dAVX2(SB), NOSPLIT, $0-48", n.bits)
	w.f("\tMOVQ cols+0(FP), CX\n\tMOVQ offset+8(FP), BX\n\tMOVQ rows+16(FP), R9")
	w.f("\tMOVQ mr+24(FP), R10\n\tMOVQ dst+32(FP), DI\n\tMOVQ src+40(FP), SI")
	w.f("\tSHLQ $%d, R10\n\tTESTQ CX, CX\n\tJEQ done\n", shift)
	w.f("next:\n\tMOVQ (BX), R8\n\tLEAQ (DI)(R8*%d), R8\n\tADDQ $8, BX\n\tMOVQ $3, R11\n", n.bytes)
	w.f("column:\n\tXORQ AX, AX\n\tMOVQ R9, DX\n\tSUBQ $4, DX\n\tJLT tail\n")
	w.f("four:\n\tVMOVU%s (SI)(AX*1), %s0\n\tVADD%s (R8)(AX*1), %s0, %s0\n\tVMOVU%s %s0, (R8)(AX*1)", n.p, reg, n.p, reg, reg, n.p, reg)
	w.f("\tADDQ $%d, AX\n\tSUBQ $4, DX\n\tJGE four\n", 4*n.bytes)
	w.f("tail:\n\tADDQ $4, DX\n\tJEQ end\n")
	w.f("one:\n\tVMOV%s (SI)(AX*1), X0\n\tVADD%s (R8)(AX*1), X0, X0\n\tVMOV%s X0, (R8)(AX*1)", n.s, n.s, n.s)
	w.f("\tADDQ $%d, AX\n\tDECQ DX\n\tJNE one\n", n.bytes)
	w.f("end:\n\tADDQ R10, SI\n\tADDQ R10, R8\n\tDECQ R11\n\tJNE column\n\tDECQ CX\n\tJNE next\n")
	w.f("done:\n\tVZEROUPPER\n\tRET\n")
}

// copyRunsOf writes a copy of k runs of a multiple of 4 bytes.
func copyRunsOf(w *writer) {
	w.f("// func copyRunsAVX(k, bytes int, dst unsafe.Pointer, dd int, src unsafe.Pointer, ds int)")
	w.f("TEXT ·copyRunsAVX(SB), NOSPLIT, $0-48")
	w.f("\tMOVQ k+0(FP), CX\n\tMOVQ bytes+8(FP), R9\n\tMOVQ dst+16(FP), DI\n\tMOVQ dd+24(FP), R10")
	w.f("\tMOVQ src+32(FP), SI\n\tMOVQ ds+40(FP), R11\n\tTESTQ CX, CX\n\tJEQ done\n")
	w.f("next:\n\tXORQ AX, AX\n\tMOVQ R9, DX\n\tSUBQ $32, DX\n\tJLT t16\n")
	w.f("loop:\n\tVMOVUPD (SI)(AX*1), Y0\n\tVMOVUPD Y0, (DI)(AX*1)\n\tADDQ $32, AX\n\tSUBQ $32, DX\n\tJGE loop\n")
	w.f("t16:\n\tTESTQ $16, DX\n\tJEQ t8\n\tVMOVUPD (SI)(AX*1), X0\n\tVMOVUPD X0, (DI)(AX*1)\n\tADDQ $16, AX\n")
	w.f("t8:\n\tTESTQ $8, DX\n\tJEQ t4\n\tMOVQ (SI)(AX*1), BX\n\tMOVQ BX, (DI)(AX*1)\n\tADDQ $8, AX\n")
	w.f("t4:\n\tTESTQ $4, DX\n\tJEQ end\n\tMOVL (SI)(AX*1), BX\n\tMOVL BX, (DI)(AX*1)\n")
	w.f("end:\n\tADDQ R11, SI\n\tADDQ R10, DI\n\tDECQ CX\n\tJNE next\n")
	w.f("done:\n\tVZEROUPPER\n\tRET\n")
}
