#include "textflag.h"

// func rowKernel(val *float32, col *int32, n int, x *float32) (y0, y1, y2 float32)
//
// SSE, which every amd64 has. Lane r of X0, X6, X7 sums column 0, 1, 2 of the
// blocks times x; lane 3 holds what is read past a column and is dropped.
TEXT ·rowKernel(SB), NOSPLIT, $0-44
	MOVQ  val+0(FP), SI
	MOVQ  col+8(FP), DI
	MOVQ  n+16(FP), CX
	MOVQ  x+24(FP), DX
	XORPS X0, X0
	XORPS X6, X6
	XORPS X7, X7
	TESTQ CX, CX
	JEQ   done

loop:
	MOVLQSX (DI), AX
	LEAQ    (AX)(AX*2), AX
	MOVSS   (DX)(AX*4), X1
	MOVSS   4(DX)(AX*4), X2
	MOVSS   8(DX)(AX*4), X3
	SHUFPS  $0, X1, X1
	SHUFPS  $0, X2, X2
	SHUFPS  $0, X3, X3
	MOVUPS  (SI), X4
	MOVUPS  12(SI), X5
	MOVUPS  24(SI), X8
	MULPS   X1, X4
	MULPS   X2, X5
	MULPS   X3, X8
	ADDPS   X4, X0
	ADDPS   X5, X6
	ADDPS   X8, X7
	ADDQ    $36, SI
	ADDQ    $4, DI
	DECQ    CX
	JNE     loop

done:
	ADDPS  X6, X0
	ADDPS  X7, X0
	MOVSS  X0, y0+32(FP)
	SHUFPS $0x39, X0, X0
	MOVSS  X0, y1+36(FP)
	SHUFPS $0x39, X0, X0
	MOVSS  X0, y2+40(FP)
	RET
