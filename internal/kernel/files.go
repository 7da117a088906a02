package kernel

import (
	"path/filepath"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/value"
)

// ConfigFile is the name of the configuration file in a data folder.
const ConfigFile = "config.json"

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// File reads the configuration file of a data folder as a layer. A folder or file that does not exist is an empty layer.
func File(dir string, getenv func(string) string) (Layer, error) {
	l := Layer{Origin: filepath.Join(dir, ConfigFile), Getenv: getenv}
	folder, err := disk.Open(dir)
	if fault.Is(err, fault.NotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	text, err := folder.Read(ConfigFile, maxConfig)
	if closing := folder.Close(); err == nil {
		err = closing
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return l, nil
	case err != nil:
		return l, err
	}
	l.Value, err = value.Decode(text, value.DefaultLimits())
	if err != nil {
		return l, &fault.Error{Op: "config", Resource: l.Origin, Kind: fault.Invalid, Err: err}
	}
	return l, nil
}
