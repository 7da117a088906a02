package cli

import (
	"slices"
	"strings"

	"github.com/sre-go/sre/value"
)

// Parse reads flags from arguments: "--name value" is a text, "--name k=v k=v" an object of texts, whose values may stand
// in double quotes. A flag without a value is left out. Only the named flags are returned, all of them when none is named.
// Of a flag that is given twice the last counts.
func Parse(args []string, flags ...string) value.Value {
	out := value.NewBuilder(4)
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		if !isFlag || name == "" {
			continue
		}
		from := i + 1
		for i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
		}
		if len(flags) > 0 && !slices.Contains(flags, name) {
			continue
		}
		if v := valueOf(args[from : i+1]); !v.IsAbsent() {
			out.Set(name, v)
		}
	}
	return out.Build()
}

// valueOf returns the value of a flag: an object when every argument is a pair, else the first as text.
func valueOf(args []string) value.Value {
	if len(args) == 0 {
		return value.Value{}
	}
	pairs := value.NewBuilder(len(args))
	for _, a := range args {
		k, v, isPair := strings.Cut(a, "=")
		if !isPair || k == "" {
			return value.Of(args[0])
		}
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = v[1 : len(v)-1]
		}
		pairs.Set(k, value.Of(v))
	}
	return pairs.Build()
}
