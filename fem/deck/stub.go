package deck

import "halsted/fem"

func (r *reader) readFeb(path string, data []byte) (*fem.Model, fem.Settings, error) {
	return nil, fem.Settings{}, place{file: path}.bad("", "FEBio files are not read yet")
}
func (r *reader) readJSON(path string, data []byte) (*fem.Model, fem.Settings, error) {
	return nil, fem.Settings{}, place{file: path}.bad("", "model files are not read yet")
}
