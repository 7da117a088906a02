package kernel

import (
	"strconv"
	"strings"

	"github.com/sre-go/sre/value"
)

// Sources says which layer each value of a configuration comes from, by the path of the value: "limits.steps",
// "services.Storage.Settings.folder", "services.Cache[1].Id", "egress.allowPrivate".
type Sources map[string]string

// set notes that a layer gave the value at a path, in place of what was there.
func (s Sources) set(path string, v value.Value, origin string) {
	for old := range s {
		if rest, ok := strings.CutPrefix(old, path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			delete(s, old)
		}
	}
	s.add(path, v, origin)
}

func (s Sources) add(path string, v value.Value, origin string) {
	switch {
	case v.IsObject() && v.Len() > 0:
		for _, m := range v.Members() {
			s.add(path+"."+m.Key, m.Value, origin)
		}
	case v.IsArray() && v.Len() > 0:
		for i, it := range v.Items() {
			s.add(path+"["+strconv.Itoa(i)+"]", it, origin)
		}
	default:
		s[path] = origin
	}
}
