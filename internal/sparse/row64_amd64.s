#include "textflag.h"

DATA mask3<>+0(SB)/8, $-1
DATA mask3<>+8(SB)/8, $-1
DATA mask3<>+16(SB)/8, $-1
DATA mask3<>+24(SB)/8, $0
GLOBL mask3<>(SB), RODATA|NOPTR, $32

// func rowKernel64(val *float64, col *int32, n int, x *float64, y *float64)
//
// AVX. Lane c of Y0, Y1, Y2 sums column c of rows 0, 1, 2 of the blocks times
// x; lane 3 holds what is read past a row and is dropped. x is read masked: its
// last node may end the memory.
TEXT ·rowKernel64(SB), NOSPLIT, $0-40
	MOVQ    val+0(FP), SI
	MOVQ    col+8(FP), DI
	MOVQ    n+16(FP), CX
	MOVQ    x+24(FP), DX
	MOVQ    y+32(FP), R8
	VMOVUPD mask3<>(SB), Y7
	VXORPD  Y0, Y0, Y0
	VXORPD  Y1, Y1, Y1
	VXORPD  Y2, Y2, Y2
	TESTQ   CX, CX
	JEQ     done

loop:
	MOVLQSX    (DI), AX
	LEAQ       (AX)(AX*2), AX
	VMASKMOVPD (DX)(AX*8), Y7, Y3
	VMULPD     (SI), Y3, Y4
	VMULPD     24(SI), Y3, Y5
	VMULPD     48(SI), Y3, Y6
	VADDPD     Y4, Y0, Y0
	VADDPD     Y5, Y1, Y1
	VADDPD     Y6, Y2, Y2
	ADDQ       $72, SI
	ADDQ       $4, DI
	DECQ       CX
	JNE        loop

done:
	VMOVUPD Y0, 0(R8)
	VMOVUPD Y1, 32(R8)
	VMOVUPD Y2, 64(R8)
	VZEROUPPER
	RET
