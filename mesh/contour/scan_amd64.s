#include "textflag.h"

// ANY ors into X8 where 16 columns from byte o differ.
#define ANY(o) \
	MOVOU o(SI), X0 \
	MOVOU o(DX), X1 \
	MOVOU o(R8), X2 \
	MOVOU o(R9), X3 \
	MOVOU (o+1)(SI), X4 \
	PXOR  X0, X1 \
	PXOR  X0, X2 \
	PXOR  X0, X3 \
	PXOR  X0, X4 \
	POR   X1, X2 \
	POR   X3, X4 \
	POR   X2, X8 \
	POR   X4, X9

// EQUAL shifts the 16 bits of reg's zero bytes into the low end of to.
#define EQUAL(reg, to) \
	PCMPEQB  X15, reg \
	PMOVMSKB reg, AX \
	SHLQ     $16, to \
	ORQ      AX, to

// EACH shifts in where 16 columns from byte o are equal: x to R11, y to R12,
// z to R13, all four rows to BX.
#define EACH(o) \
	MOVOU o(SI), X0 \
	MOVOU o(DX), X1 \
	MOVOU o(R8), X2 \
	MOVOU o(R9), X3 \
	MOVOU (o+1)(SI), X4 \
	PXOR  X0, X1 \
	PXOR  X0, X2 \
	PXOR  X0, X3 \
	PXOR  X0, X4 \
	POR   X1, X3 \
	POR   X2, X3 \
	EQUAL(X4, R11) \
	EQUAL(X1, R12) \
	EQUAL(X2, R13) \
	EQUAL(X3, BX)

// func scanRows(a, b, c, d *byte, out *scanWords, words int)
//
// SSE2, which every amd64 has. From the last word to the first; R10 is the
// word of differing columns of the word after.
TEXT ·scanRows(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ c+16(FP), R8
	MOVQ d+24(FP), R9
	MOVQ out+32(FP), DI
	MOVQ words+40(FP), CX
	MOVQ CX, AX
	SHLQ $6, AX
	ADDQ AX, SI
	ADDQ AX, DX
	ADDQ AX, R8
	ADDQ AX, R9
	MOVQ CX, AX
	SHLQ $5, AX
	ADDQ AX, DI
	XORQ R10, R10
	PXOR X15, X15
	TESTQ CX, CX
	JEQ  done

loop:
	SUBQ     $64, SI
	SUBQ     $64, DX
	SUBQ     $64, R8
	SUBQ     $64, R9
	SUBQ     $32, DI
	PXOR     X8, X8
	PXOR     X9, X9
	ANY(0)
	ANY(16)
	ANY(32)
	ANY(48)
	POR      X9, X8
	PCMPEQB  X15, X8
	PMOVMSKB X8, AX
	SHLQ     $63, R10
	CMPL     AX, $0xffff
	JNE      differ
	MOVOU    X15, 0(DI)
	MOVOU    X15, 16(DI)
	MOVQ     R10, 0(DI)
	XORQ     R10, R10
	DECQ     CX
	JNE      loop

done:
	RET

differ:
	EACH(48)
	EACH(32)
	EACH(16)
	EACH(0)
	NOTQ R11
	NOTQ R12
	NOTQ R13
	NOTQ BX
	MOVQ R11, 8(DI)
	MOVQ R12, 16(DI)
	MOVQ R13, 24(DI)
	ORQ  R11, R10
	ORQ  BX, R10
	MOVQ BX, AX
	SHRQ $1, AX
	ORQ  AX, R10
	MOVQ R10, 0(DI)
	MOVQ BX, R10
	DECQ CX
	JNE  loop
	RET
