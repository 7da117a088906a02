package workflow

import (
	"strconv"

	"github.com/sre-go/sre/value"
)

// memberOf reads a property as JavaScript does: a member of an object, an item or the length of an array or a text.
func memberOf(v value.Value, name string) value.Value {
	switch {
	case v.IsObject():
		return v.Get(name)
	case v.Kind() != value.String && !v.IsArray():
		return value.Value{}
	case name == "length":
		return value.OfInt(v.Len())
	}
	i, err := strconv.ParseUint(name, 10, 31)
	if err != nil || strconv.FormatUint(i, 10) != name || !v.IsArray() {
		return value.Value{}
	}
	return v.At(int(i))
}
