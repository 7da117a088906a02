package cli_test

import (
	"testing"
)

func newAccounts(t *testing.T) *desk {
	d := newDesk(t)
	d.env["SRE_SERVICE_ACCOUNT"] = "SQLiteAccount"
	return d
}

func TestAccount_Life(t *testing.T) {
	t.Parallel()
	d := newAccounts(t)
	d.want(t, "", 0, words("account team list"), "there are no teams")
	d.want(t, "", 0, []string{"account", "team", "add", "red", "--settings", `{"plan":"pro"}`}, "team red is there")
	d.want(t, "", 0, words("account team add red --json"), `{"team":"red"}`)
	d.want(t, "", 0, words("account user add ann --team red --role owner"), "user ann is in team red")
	d.want(t, "", 0, words("account user add ben --team red"))
	d.want(t, "", 0, []string{"account", "agent", "add", "hello", "--team", "red", "--settings", `{"k":1}`}, "agent hello is in team red")
	d.want(t, "", 0, words("account team list --json"), `[{"team":"red","users":"2","agents":"1"}]`)
	d.want(t, "", 0, words("account user list --team red"), "ann   owner   {}", "ben   member  {}")
	d.want(t, "", 0, words("account agent list --team red"), `hello  {"k":1}`)
	d.want(t, "", 0, words("account user list --team red --json"), `{"user":"ann","role":"owner","settings":"{}"}`)
	d.want(t, "", 0, words("__complete account team remove x"), "red")
	d.want(t, "", 0, words("__complete token create --team x"), "red")
	d.want(t, "", 0, words("token create --team red --user ann --scope admin"), "user     ann")
	d.want(t, "", 3, words("token create --team red --user ben --scope admin"), "role member does not go as far as the scope admin")
	d.want(t, "", 4, words("token create --team red --user eve"), "user:eve does not belong to team red")
	d.want(t, "", 0, words("account user remove ann --team red"), "removed user ann from team red")
	d.want(t, "", 0, words("token list --team red"), "has no tokens")
	d.want(t, "", 9, words("account team remove red"), "2 members", "--members")
	d.want(t, "", 0, words("account team remove red --members"), "removed team red")
	d.want(t, "", 0, words("account verify --json"), `{"damaged":[]}`)
}

func TestAccount_Import(t *testing.T) {
	t.Parallel()
	d := newAccounts(t)
	d.write(t, "account.json", `{"red": {"users": {"ann": {"role": "admin"}, "ben": {}}, "agents": {"hello": {}}, "settings": {"plan": "pro"}}, "blue": {"users": {"ben": {}, "cid": {}}}}`)
	d.want(t, "", 0, words("account import account.json"), "red   2      1", "blue  1      0")
	d.want(t, "", 0, words("account import account.json"), "red   2      1")
	d.want(t, "", 0, words("account user list --team red"), "ann   admin", "ben   member")
	d.want(t, "", 0, words("account user list --team blue"), "cid   member")
	d.write(t, "moved.json", `{"green": {}, "blue": {"users": {"ann": {}}}}`)
	d.want(t, "", 9, words("account import moved.json"), "user:ann belongs to another team", "1 of 2 teams")
	d.write(t, "wrong.json", `{"red": {"users": {"ann": {"role": "boss"}}}}`)
	d.want(t, "", 3, words("account import wrong.json"), `unknown role "boss"`)
	d.want(t, "", 4, words("account import none.json"), "none.json")
}

func TestAccount_Refusals(t *testing.T) {
	t.Parallel()
	d := newAccounts(t)
	for args, tt := range map[string]struct {
		code int
		text string
	}{
		"account team add a_b":                        {2, "alphanumeric"},
		"account team add red --settings []":          {3, "not an object"},
		"account team add red --settings {":           {2, "--settings"},
		"account team remove red":                     {4, "no team red"},
		"account user add ann --team red":             {4, "sre account team add red"},
		"account user add a|b --team red":             {2, "alphanumeric"},
		"account user add ann --team red --role boss": {2, "unknown role"},
		"account user list --team red":                {4, "no team red"},
		"account user remove ann --team red":          {4, "no account lists user:ann"},
		"account agent add hello --role owner":        {2, "--role"},
		"account users":                               {2, `did you mean "user"?`},
	} {
		d.want(t, "", tt.code, words(args), tt.text)
	}
	plain := newDesk(t)
	plain.want(t, "", 10, words("account team add red"), "SQLiteAccount", "sre account import")
}
