package egress

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Denial is one refused request. It holds no path, query or value of a header: those may be secret.
type Denial struct {
	Host    string     // with the port where the address names one
	Address netip.Addr // that the host stands for; the zero Addr when it was refused before that was asked
	Port    uint16     // that was to be connected; 0 when it did not come to that
	Rule    string     // what refused it: "loopback", "metadata", "closed", ...
	Setting string     // the change of the configuration that would allow it: "egress.allowNetworks: 10.1.0.7"; "" for none
	Field   string     // of the request, for the rule "header": "header Host", "URL"

	scheme string // of what was refused, when it is not the address of the request
}

func (d *Denial) Error() string {
	switch {
	case d.Field != "":
		return fmt.Sprintf("the %s cannot be sent as it is", d.Field)
	case d.Address.IsValid() && d.Address.String() != d.Host:
		return fmt.Sprintf("%s stands for %s, which is out of reach (rule %s)", d.Host, d.Address, d.Rule)
	}
	return fmt.Sprintf("%s is out of reach (rule %s)", d.Host, d.Rule)
}

// decision is what the audit is told: "http://metadata.google.internal at 169.254.169.254", with whoever acts in ctx.
func (d *Denial) decision(ctx context.Context, scheme string) access.Decision {
	if d.scheme != "" {
		scheme = d.scheme
	}
	resource := scheme + "://" + d.Host
	if d.Address.IsValid() {
		resource += " at " + d.Address.String()
	}
	acting := access.ActingOf(ctx)
	return access.Decision{
		Candidate: acting.Candidate, Run: acting.Run,
		Operation: "egress", Level: "connect", Resource: resource, Rule: access.Rule(d.Rule),
	}
}

// The rules that refuse a request whatever its address is. Those about addresses are the classes of address.go.
const (
	ruleClosed       = "closed"
	ruleDeny         = "deny"
	ruleHost         = "host"
	ruleScheme       = "scheme"
	ruleHeader       = "header"
	ruleCredentials  = "credentials"
	ruleProxyScheme  = "proxy-scheme"
	ruleDowngrade    = "downgrade"
	ruleRedirectBody = "redirect-body"
	ruleSecretHost   = "secret_host"
)

// refuse makes the error of a denial with what to do about it.
func refuse(d *Denial) error {
	return &fault.Error{Op: "egress", Kind: fault.Denied, Code: "EGRESS_DENIED(" + d.Rule + ")", Hint: d.hint(), Err: d}
}

func (d *Denial) hint() string {
	if d.Setting != "" {
		return "an operator allows it with " + d.Setting
	}
	switch d.Rule {
	case ruleScheme:
		return "use an http or https address"
	case ruleHeader:
		return "leave it away, or take the line break or control character out"
	case ruleCredentials:
		return "send credentials in a header, not in the address"
	case ruleProxyScheme:
		return "a proxy is reached by http, https or socks5"
	case ruleDowngrade:
		return "a redirect may not leave https"
	case ruleSecretHost:
		return "a key of this request may not be sent to this host; store it again with the host, as in `sre vault set NAME --host HOST`, or leave it out of the request"
	case ruleRedirectBody:
		return "a redirect may not take the body of a request to another host; send it to the new address"
	}
	return "no setting allows it"
}

// denialOf returns the denial in an error, nil when it is none.
func denialOf(err error) *Denial {
	var d *Denial
	if errors.As(err, &d) {
		return d
	}
	return nil
}
