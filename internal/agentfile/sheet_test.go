package agentfile

import (
	"strings"
	"testing"
)

func TestSheet_Requests(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, hosts, tokens string }{
		{"fixed", `{"url":"https://api.test/{{a}}"}`, "api.test,v.test", ""},
		{"of an input", `{"url":"{{a}}"}`, "(from data),v.test", ""},
		{"of a variable", `{"url":"{{base}}/x?q={{a}}"}`, "v.test", ""},
		{"of a variable and an input", `{"url":"{{base}}{{a}}"}`, "(from data),v.test", ""},
		{"scheme of an input", `{"url":"{{a}}://api.test/"}`, "(from data),v.test", ""},
		{"address within an address", `{"url":"{{a}}?to=https://other.test/"}`, "(from data),other.test,v.test", ""},
		{"own tokens", `{"url":"https://v.test/","oauthService":"Google"}`, "v.test", "OAUTH_c_TOKENS"},
		{"shared tokens", `{"url":"https://v.test/","oauthService":"None","oauth_con_id":"mine"}`, "v.test", "mine"},
		{"no tokens", `{"url":"https://v.test/","oauthService":"None","oauth_con_id":"None"}`, "v.test", ""},
	}
	for _, tt := range tests {
		text := strings.Replace(file(`{"id":"c","name":"APICall","data":`+tt.data+`}`, ``), `"components"`, `"variables":{"base":"https://v.test"},"components"`, 1)
		doc, err := Parse([]byte(text), bounds())
		if err != nil {
			t.Fatal(err)
		}
		s := doc.Sheet()
		if hosts, tokens := strings.Join(s.Hosts, ","), strings.Join(s.Tokens, ","); hosts != tt.hosts || tokens != tt.tokens {
			t.Errorf("%s: hosts %s, tokens %s, want %s, %s", tt.name, hosts, tokens, tt.hosts, tt.tokens)
		}
	}
}
