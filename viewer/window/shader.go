package window

import (
	"fmt"

	"halsted/viewer/scene"

	"github.com/g3n/engine/gls"
	"github.com/g3n/engine/material"
	"github.com/g3n/engine/math32"
	"github.com/g3n/engine/renderer"
	"github.com/g3n/engine/texture"

	"image"
	"image/color"
)

const (
	bodyProgram    = "halsted_body"
	overlayProgram = "halsted_overlay"
)

const bodyVertex = `
in vec3 VertexPosition;
in vec3 VertexNormal;
in vec4 VertexTint; // rgb and opacity
in vec3 VertexData; // place in the colour scale; 1 wears a quantity, 2 and some of it is out of range; is clipped
uniform mat4 ModelViewMatrix;
uniform mat3 NormalMatrix;
uniform mat4 MVP;
uniform vec4 Clip[3];
out vec3 ViewPos;
out vec3 Normal;
out vec4 Tint;
// With several samples a pixel, values must be taken inside the triangle: at
// its rim they would run out of the range of the colours.
centroid out vec3 Data;
centroid out vec3 Cut;
void main() {
	ViewPos = vec3(ModelViewMatrix * vec4(VertexPosition, 1.0));
	Normal = NormalMatrix * VertexNormal;
	Tint = VertexTint;
	Data = VertexData;
	Cut = vec3(dot(Clip[0].xyz, VertexPosition) + Clip[0].w,
		dot(Clip[1].xyz, VertexPosition) + Clip[1].w,
		dot(Clip[2].xyz, VertexPosition) + Clip[2].w);
	gl_Position = MVP * vec4(VertexPosition, 1.0);
}
`

// bodyFragment mirrors Shade, BackColour, Flatten and RimOpacity of
// viewer/scene; the constants are filled in from there.
const bodyFragment = `
precision highp float;
in vec3 ViewPos;
in vec3 Normal;
in vec4 Tint;
centroid in vec3 Data;
centroid in vec3 Cut;
uniform sampler2D ColourMap;
out vec4 FragColor;
void main() {
	if (Data.z > 0.5 && max(max(Cut.x, Cut.y), Cut.z) > 0.0) discard;
	bool coloured = Data.y > 0.5 && gl_FrontFacing;
	vec3 c = Tint.rgb;
	if (coloured) {
		float t = Data.x;
		// Interpolation is good to half a step of the colours.
		if (Data.y > 1.5 && t < -1.0 / 512.0) c = BELOW;
		else if (Data.y > 1.5 && t > 1.0 + 1.0 / 512.0) c = ABOVE;
		else c = texture(ColourMap, vec2((clamp(t, 0.0, 1.0) * 255.0 + 0.5) / 256.0, 0.5)).rgb;
	}
	vec3 v = normalize(-ViewPos);
	vec3 n = dot(Normal, Normal) > 0.0 ? normalize(Normal) : v;
	if (!gl_FrontFacing) {
		n = -n;
		float grey = BACK_GREY * (c.r + c.g + c.b) / 3.0;
		c = BACK_SHADE * (c * (1.0 - BACK_GREY) + grey);
	}
	float d = AMBIENT + HEADLIGHT * max(0.0, dot(n, v)) + KEY * max(0.0, dot(n, KEY_DIR)) + FILL * max(0.0, dot(n, FILL_DIR));
	float s = SPECULAR * pow(max(0.0, dot(n, normalize(KEY_DIR + v))), SHININESS);
	if (!gl_FrontFacing) s = 0.0;
	else if (coloured) { d = 1.0 - QUANTITY_SHADE * (1.0 - d); s *= QUANTITY_SHADE; }
	float a = Tint.a;
	float k = 1.0 - min(1.0, abs(dot(n, v)));
	if (a < 1.0) a += a * (1.0 - a) * k * k;
	FragColor = vec4(min(d * c + s, vec3(1.0)), a);
}
`

const overlayVertex = `
in vec3 VertexPosition;
out vec2 Place;
void main() {
	Place = vec2(0.5 + 0.5 * VertexPosition.x, 0.5 - 0.5 * VertexPosition.y);
	gl_Position = vec4(VertexPosition, 1.0);
}
`

// The overlay is premultiplied, as image.RGBA is; blending wants it plain.
const overlayFragment = `
precision highp float;
in vec2 Place;
uniform sampler2D Overlay;
out vec4 FragColor;
void main() {
	vec4 c = texture(Overlay, Place);
	FragColor = vec4(c.a > 0.0 ? c.rgb / c.a : vec3(0.0), c.a);
}
`

func vec3(x, y, z float64) string { return fmt.Sprintf("vec3(%.8f, %.8f, %.8f)", x, y, z) }

func rgb(c color.NRGBA) string {
	return vec3(float64(c.R)/255, float64(c.G)/255, float64(c.B)/255)
}

func addPrograms(r *renderer.Renderer) {
	k, f := scene.KeyDirection, scene.FillDirection
	head := fmt.Sprintf(`
#define AMBIENT %.8f
#define HEADLIGHT %.8f
#define KEY %.8f
#define FILL %.8f
#define SPECULAR %.8f
#define SHININESS %.1f
#define BACK_SHADE %.8f
#define BACK_GREY %.8f
#define QUANTITY_SHADE %.8f
#define KEY_DIR %s
#define FILL_DIR %s
#define BELOW %s
#define ABOVE %s
`, scene.Ambient, scene.Headlight, scene.Key, scene.Fill, scene.Specular, float64(scene.Shininess),
		scene.BackShade, scene.BackGrey, scene.QuantityShade, vec3(k.X, k.Y, k.Z), vec3(f.X, f.Y, f.Z),
		rgb(scene.BelowRange), rgb(scene.AboveRange))
	r.AddShader(bodyProgram+"_v", bodyVertex)
	r.AddShader(bodyProgram+"_f", head+bodyFragment)
	r.AddProgram(bodyProgram, bodyProgram+"_v", bodyProgram+"_f")
	r.AddShader(overlayProgram+"_v", overlayVertex)
	r.AddShader(overlayProgram+"_f", overlayFragment)
	r.AddProgram(overlayProgram, overlayProgram+"_v", overlayProgram+"_f")
}

// bodyMaterial is g3n's base material with the clip planes added.
type bodyMaterial struct {
	material.Material
	uniClip gls.Uniform
	clip    [scene.MaxClips * 4]float32
}

func newBodyMaterial(transparent bool) *bodyMaterial {
	m := new(bodyMaterial)
	m.Material.Init()
	m.SetShader(bodyProgram)
	m.SetShaderUnique(true)
	m.SetUseLights(material.UseLightNone)
	m.SetSide(material.SideDouble)
	m.SetTransparent(transparent)
	m.SetDepthMask(!transparent)
	if transparent { // a skin on an opaque body at the same depth is drawn
		m.SetPolygonOffset(-1, -2)
	} else { // of two bodies at the same depth the first in the scene is seen
		m.SetDepthFunc(gls.LESS)
	}
	table := scene.ViridisTable()
	lut := image.NewRGBA(image.Rect(0, 0, len(table), 1))
	for i, c := range table {
		lut.SetRGBA(i, 0, color.RGBA{R: c[0], G: c[1], B: c[2], A: 255})
	}
	t := texture.NewTexture2DFromRGBA(lut)
	t.SetUniformNames("ColourMap", "ColourMapInfo")
	t.SetMinFilter(gls.LINEAR)
	t.SetMagFilter(gls.LINEAR)
	m.AddTexture(t)
	m.uniClip.Init("Clip")
	m.setClips(nil)
	return m
}

// setClips stores normal and offset of each plane: positive is cut away.
func (m *bodyMaterial) setClips(planes []scene.Plane) {
	for k := range scene.MaxClips {
		c := m.clip[4*k : 4*k+4]
		c[0], c[1], c[2], c[3] = 0, 0, 0, -1
		if k < len(planes) {
			n, p := planes[k].Normal, planes[k].Point
			c[0], c[1], c[2] = float32(n.X), float32(n.Y), float32(n.Z)
			c[3] = -float32(n.X*p.X + n.Y*p.Y + n.Z*p.Z)
		}
	}
}

// RenderSetup is called by g3n before it draws with the material.
func (m *bodyMaterial) RenderSetup(gs *gls.GLS) {
	m.Material.RenderSetup(gs)
	gs.Uniform4fv(m.uniClip.Location(gs), scene.MaxClips, &m.clip[0])
}

// camera gives g3n the matrices of the scene's camera.
type camera struct {
	c         *scene.Camera
	aspect    float64
	near, far float64
}

// ViewMatrix is LPS to view space, column by column.
func (c *camera) ViewMatrix(m *math32.Matrix4) {
	r, u, b := c.c.Basis()
	e := c.c.Eye
	rows := [3][4]float64{
		{r.X, r.Y, r.Z, -(r.X*e.X + r.Y*e.Y + r.Z*e.Z)},
		{u.X, u.Y, u.Z, -(u.X*e.X + u.Y*e.Y + u.Z*e.Z)},
		{b.X, b.Y, b.Z, -(b.X*e.X + b.Y*e.Y + b.Z*e.Z)},
	}
	for i, row := range rows {
		for j, v := range row {
			m[4*j+i] = float32(v)
		}
	}
	m[3], m[7], m[11], m[15] = 0, 0, 0, 1
}

// ProjMatrix is view space to clip space, with the shifted lens.
func (c *camera) ProjMatrix(m *math32.Matrix4) {
	f := 1 / tan(c.c.FovYDeg/2)
	*m = math32.Matrix4{}
	m[0], m[5] = float32(f/c.aspect), float32(f)
	m[8] = float32(-2 * c.c.OffsetX)
	m[10] = float32(-(c.far + c.near) / (c.far - c.near))
	m[11] = -1
	m[14] = float32(-2 * c.far * c.near / (c.far - c.near))
}
