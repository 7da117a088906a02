// Package redistest tells tests where their Redis is.
//
// Such tests have the build tag "services", so that plain tests need no server; with the tag a missing server is a failure,
// not a reason to leave them out. scripts/services starts one, scripts/test does all of it.
package redistest

import (
	"os"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/value"
)

// Address returns where the Redis of the tests is, as host:port. Without one the test fails.
func Address(t testing.TB) string { return variable(t, "SRE_TEST_REDIS") }

// Program returns the path of a Redis server, for tests that stop and start one of their own.
func Program(t testing.TB) string { return variable(t, "SRE_TEST_REDIS_SERVER") }

func variable(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run `eval \"$(scripts/services up)\"`, or scripts/test", name)
	}
	return v
}

// Settings returns settings of a connector with a corner of the database to itself.
func Settings(t testing.TB) value.Value {
	t.Helper()
	return value.Obj(value.M("hosts", value.Of(Address(t))), value.M("prefix", value.Of(effect.System{}.NewID()+":")))
}
