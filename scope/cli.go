package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/cli"
)

// CLI returns the arguments of the command line, as the candidate may read them.
func (s Scope) CLI() *cli.Handle {
	svc, _ := connector.Find(s.services, cli.Kind)
	return svc.For(s.candidate)
}
