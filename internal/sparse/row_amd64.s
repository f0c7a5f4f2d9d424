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

DATA spread<>+0(SB)/4, $0
DATA spread<>+4(SB)/4, $0
DATA spread<>+8(SB)/4, $0
DATA spread<>+12(SB)/4, $1
DATA spread<>+16(SB)/4, $1
DATA spread<>+20(SB)/4, $1
DATA spread<>+24(SB)/4, $2
DATA spread<>+28(SB)/4, $2
GLOBL spread<>(SB), RODATA|NOPTR, $32

DATA three<>+0(SB)/4, $-1
DATA three<>+4(SB)/4, $-1
DATA three<>+8(SB)/4, $-1
DATA three<>+12(SB)/4, $0
GLOBL three<>(SB), RODATA|NOPTR, $16

// func rowKernelAVX2(val *float32, col *int32, n int, x, y *float32)
//
// Lanes 0 to 2, 3 to 5 and 6, 7 of Y0 and X1 sum columns 0, 1 and 2 of the
// blocks times x: the sums of rowKernel in two registers. They go to y.
TEXT ·rowKernelAVX2(SB), NOSPLIT, $0-40
	MOVQ    val+0(FP), SI
	MOVQ    col+8(FP), DI
	MOVQ    n+16(FP), CX
	MOVQ    x+24(FP), DX
	MOVQ    y+32(FP), R8
	VMOVUPS spread<>(SB), Y6
	VMOVUPS three<>(SB), X7
	VXORPS  Y0, Y0, Y0
	VXORPS  X1, X1, X1
	TESTQ   CX, CX
	JEQ     out

block:
	MOVLQSX    (DI), AX
	LEAQ       (AX)(AX*2), AX
	VMASKMOVPS (DX)(AX*4), X7, X3
	VPERMPS    Y3, Y6, Y4
	VMOVHLPS   X3, X3, X8
	VMULPS     (SI), Y4, Y5
	VMULSS     32(SI), X8, X8
	VADDPS     Y5, Y0, Y0
	VADDSS     X8, X1, X1
	ADDQ       $36, SI
	ADDQ       $4, DI
	DECQ       CX
	JNE        block

out:
	VMOVUPS Y0, (R8)
	VMOVSS  X1, 32(R8)
	VZEROUPPER
	RET
