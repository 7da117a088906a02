package sre_test

import (
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/value"
)

// fakeModel starts a model that answers by a script until the test ends, and returns the text of a file that knows it as
// "fake".
func fakeModel(t *testing.T, script string) (server *testmodel.Server, models string) {
	t.Helper()
	v, err := value.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := testmodel.ParseScript(v)
	if err != nil {
		t.Fatal(err)
	}
	if server, err = testmodel.Start(t.Context(), rules, effect.System{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, `{"fake":{"provider":"OpenAI","modelId":"fake","baseURL":"` + server.URL() + `","credentials":"none","tokens":100000,"completionTokens":1000}}`
}
