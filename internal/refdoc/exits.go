package refdoc

import (
	"strings"

	"github.com/sre-go/sre/fault"
)

type exit struct {
	code    int
	meaning string
}

// exits are the exit codes of commands, from the table of package fault.
func exits() []exit {
	list := []exit{{0, "success"}, {1, "an error of ours"}, {2, "wrong usage of the command"}}
	for k := fault.Invalid; k <= fault.Unauthenticated; k++ {
		name := strings.ToLower(strings.ReplaceAll(k.String(), "_", " "))
		merged := false
		for i := range list {
			if list[i].code == k.ExitCode() {
				list[i].meaning += ", " + name
				merged = true
			}
		}
		if !merged {
			list = append(list, exit{k.ExitCode(), name})
		}
	}
	return list
}
