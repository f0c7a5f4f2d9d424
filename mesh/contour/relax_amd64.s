#include "textflag.h"

// Four times each: 1/6, 1, 1/2, CellLimit; then 6 once.
DATA relaxc<>+0(SB)/4, $0.16666667
DATA relaxc<>+4(SB)/4, $0.16666667
DATA relaxc<>+8(SB)/4, $0.16666667
DATA relaxc<>+12(SB)/4, $0.16666667
DATA relaxc<>+16(SB)/4, $1.0
DATA relaxc<>+20(SB)/4, $1.0
DATA relaxc<>+24(SB)/4, $1.0
DATA relaxc<>+28(SB)/4, $1.0
DATA relaxc<>+32(SB)/4, $0.5
DATA relaxc<>+36(SB)/4, $0.5
DATA relaxc<>+40(SB)/4, $0.5
DATA relaxc<>+44(SB)/4, $0.5
DATA relaxc<>+48(SB)/4, $0.49
DATA relaxc<>+52(SB)/4, $0.49
DATA relaxc<>+56(SB)/4, $0.49
DATA relaxc<>+60(SB)/4, $0.49
DATA relaxc<>+64(SB)/4, $6.0
GLOBL relaxc<>(SB), RODATA|NOPTR, $68

// func relaxRows(nb *near, from, own, to *float32, n int)
//
// SSE2, which every amd64 has. A slot is a quarter of the byte offset of a
// position.
TEXT ·relaxRows(SB), NOSPLIT, $0-40
	MOVQ   nb+0(FP), SI
	MOVQ   from+8(FP), DX
	MOVQ   own+16(FP), R12
	MOVQ   to+24(FP), DI
	MOVQ   n+32(FP), CX
	MOVUPS relaxc<>+0(SB), X12
	MOVUPS relaxc<>+16(SB), X13
	MOVUPS relaxc<>+32(SB), X14
	MOVUPS relaxc<>+48(SB), X15
	TESTQ  CX, CX
	JEQ    done

loop:
	MOVLQSX   0(SI), AX
	MOVLQSX   4(SI), BX
	MOVLQSX   8(SI), R8
	MOVLQSX   12(SI), R9
	MOVLQSX   16(SI), R10
	MOVLQSX   20(SI), R11
	MOVUPS    (DX)(AX*4), X0
	MOVUPS    (DX)(BX*4), X1
	MOVUPS    (DX)(R8*4), X2
	MOVUPS    (DX)(R9*4), X3
	MOVUPS    (DX)(R10*4), X4
	MOVUPS    (DX)(R11*4), X5
	MOVUPS    (R12), X6
	ADDPS     X1, X0
	ADDPS     X13, X6
	ADDPS     X2, X0
	CVTTPS2PL X6, X6
	ADDPS     X3, X0
	CVTPL2PS  X6, X6
	ADDPS     X4, X0
	SUBPS     X14, X6
	ADDPS     X5, X0
	MOVAPS    X6, X7
	MULPS     X12, X0
	SUBPS     X15, X6
	ADDPS     X15, X7
	MAXPS     X6, X0
	MINPS     X7, X0
	MOVUPS    X0, (DI)
	ADDQ      $24, SI
	ADDQ      $16, R12
	ADDQ      $16, DI
	DECQ      CX
	JNE       loop

done:
	RET

// func spreadRows(nb *near, from, own, to *float32, n int, tau float32)
//
// A slot is the byte offset of a number.
TEXT ·spreadRows(SB), NOSPLIT, $0-44
	MOVQ  nb+0(FP), SI
	MOVQ  from+8(FP), DX
	MOVQ  own+16(FP), R12
	MOVQ  to+24(FP), DI
	MOVQ  n+32(FP), CX
	MOVSS tau+40(FP), X14
	MOVSS relaxc<>+64(SB), X15
	TESTQ CX, CX
	JEQ   done

loop:
	MOVLQSX 0(SI), AX
	MOVLQSX 4(SI), BX
	MOVLQSX 8(SI), R8
	MOVLQSX 12(SI), R9
	MOVLQSX 16(SI), R10
	MOVLQSX 20(SI), R11
	MOVSS   (DX)(AX*1), X0
	MOVSS   (R12), X1
	MOVAPS  X1, X2
	ADDSS   (DX)(BX*1), X0
	MULSS   X15, X2
	ADDSS   (DX)(R8*1), X0
	ADDSS   (DX)(R9*1), X0
	ADDSS   (DX)(R10*1), X0
	ADDSS   (DX)(R11*1), X0
	SUBSS   X2, X0
	MULSS   X14, X0
	ADDSS   X1, X0
	MOVSS   X0, (DI)
	ADDQ    $24, SI
	ADDQ    $4, R12
	ADDQ    $4, DI
	DECQ    CX
	JNE     loop

done:
	RET

// func normalRows(quads *[4]int32, sides *[2]imaging.Label, at, normal *float32, n int)
TEXT ·normalRows(SB), NOSPLIT, $0-40
	MOVQ  quads+0(FP), SI
	MOVQ  sides+8(FP), R12
	MOVQ  at+16(FP), DX
	MOVQ  normal+24(FP), DI
	MOVQ  n+32(FP), CX
	TESTQ CX, CX
	JEQ   done

loop:
	MOVLQSX 0(SI), AX
	MOVLQSX 4(SI), BX
	MOVLQSX 8(SI), R8
	MOVLQSX 12(SI), R9
	SHLQ    $4, AX
	SHLQ    $4, BX
	SHLQ    $4, R8
	SHLQ    $4, R9
	MOVUPS  (DX)(R8*1), X0
	MOVUPS  (DX)(AX*1), X2
	MOVUPS  (DX)(R9*1), X1
	MOVUPS  (DX)(BX*1), X3
	SUBPS   X2, X0           // a = p2 − p0
	SUBPS   X3, X1           // b = p3 − p1
	MOVBLZX 0(R12), R10
	MOVBLZX 1(R12), R11
	CMPL    R10, R11
	SBBL    R10, R10         // all ones when the lower side has the smaller label
	SHLL    $31, R10
	MOVL    R10, X4
	SHUFPS  $0, X4, X4
	XORPS   X4, X1
	MOVAPS  X0, X2
	MOVAPS  X1, X3
	SHUFPS  $0xc9, X2, X2    // yzx
	SHUFPS  $0xc9, X3, X3
	MULPS   X3, X0           // a · b.yzx
	MULPS   X2, X1           // b · a.yzx
	SUBPS   X1, X0           // the cross product as zxy
	SHUFPS  $0xc9, X0, X0
	MOVUPS  (DI)(AX*1), X1
	MOVUPS  (DI)(BX*1), X2
	MOVUPS  (DI)(R8*1), X3
	MOVUPS  (DI)(R9*1), X4
	ADDPS   X0, X1
	ADDPS   X0, X2
	ADDPS   X0, X3
	ADDPS   X0, X4
	MOVUPS  X1, (DI)(AX*1)
	MOVUPS  X2, (DI)(BX*1)
	MOVUPS  X3, (DI)(R8*1)
	MOVUPS  X4, (DI)(R9*1)
	ADDQ    $16, SI
	ADDQ    $2, R12
	DECQ    CX
	JNE     loop

done:
	RET

// func shrinkRows(before, now, normal, lost *float32, n int)
TEXT ·shrinkRows(SB), NOSPLIT, $0-40
	MOVQ   before+0(FP), SI
	MOVQ   now+8(FP), DX
	MOVQ   normal+16(FP), R8
	MOVQ   lost+24(FP), DI
	MOVQ   n+32(FP), CX
	MOVSS  relaxc<>+16(SB), X15
	XORPS  X14, X14
	TESTQ  CX, CX
	JEQ    done

loop:
	MOVUPS (R8), X0
	MOVUPS (SI), X1
	MOVUPS (DX), X2
	SUBPS  X2, X1
	MULPS  X0, X1           // x, y, z of the dot product
	MULPS  X0, X0           // and of the length
	MOVAPS X0, X3
	MOVAPS X0, X4
	SHUFPS $0x55, X3, X3
	MOVHLPS X4, X4
	ADDSS  X3, X0
	ADDSS  X4, X0
	MOVAPS X1, X5
	MOVAPS X1, X6
	SHUFPS $0x55, X5, X5
	MOVHLPS X6, X6
	ADDSS  X5, X1
	ADDSS  X6, X1
	SQRTSS X0, X3
	MOVAPS X15, X7
	DIVSS  X3, X7
	MOVAPS X14, X8
	CMPSS  X0, X8, $1       // 0 < length²
	ANDPS  X8, X7
	MOVSS  X7, 12(R8)
	MULSS  X7, X1
	MOVSS  X1, (DI)
	ADDQ   $16, SI
	ADDQ   $16, DX
	ADDQ   $16, R8
	ADDQ   $4, DI
	DECQ   CX
	JNE    loop

done:
	RET

// func growRows(at, normal, lost *float32, n int)
TEXT ·growRows(SB), NOSPLIT, $0-32
	MOVQ   at+0(FP), SI
	MOVQ   normal+8(FP), DX
	MOVQ   lost+16(FP), DI
	MOVQ   n+24(FP), CX
	MOVUPS relaxc<>+16(SB), X13
	MOVUPS relaxc<>+32(SB), X14
	MOVUPS relaxc<>+48(SB), X15
	TESTQ  CX, CX
	JEQ    done

loop:
	MOVSS     (DI), X1
	MULSS     12(DX), X1
	SHUFPS    $0, X1, X1
	MOVUPS    (DX), X2
	MOVUPS    (SI), X0
	MULPS     X2, X1
	MOVAPS    X0, X6
	ADDPS     X1, X0
	ADDPS     X13, X6
	CVTTPS2PL X6, X6
	CVTPL2PS  X6, X6
	SUBPS     X14, X6
	MOVAPS    X6, X7
	SUBPS     X15, X6
	ADDPS     X15, X7
	MAXPS     X6, X0
	MINPS     X7, X0
	MOVUPS    X0, (SI)
	ADDQ      $16, SI
	ADDQ      $16, DX
	ADDQ      $4, DI
	DECQ      CX
	JNE       loop

done:
	RET
