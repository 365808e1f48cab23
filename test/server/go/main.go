// What a session object does, in handlers of net/http, with the published Go SDK.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/supertokens"
)

type object = map[string]interface{}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	origin := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	viaToken := "VIA_TOKEN"
	telemetry := false
	check(supertokens.Init(supertokens.TypeInput{
		Supertokens: &supertokens.ConnectionInfo{ConnectionURI: os.Getenv("CORE_URL"), APIKey: os.Getenv("CORE_API_KEY")},
		AppInfo:     supertokens.AppInfo{AppName: "test", APIDomain: origin, WebsiteDomain: origin},
		RecipeList:  []supertokens.Recipe{session.Init(&sessmodels.TypeInput{AntiCsrf: &viaToken})},
		Telemetry:   &telemetry,
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			UserID  string `json:"userId"`
			Payload object `json:"payload"`
			Data    object `json:"data"`
		}
		check(json.NewDecoder(r.Body).Decode(&body))
		created, err := session.CreateNewSession(r, w, "public", body.UserID, body.Payload, body.Data)
		check(err)
		answer(w, object{"handle": created.GetHandle()})
	})
	mux.HandleFunc("/me", session.VerifySession(nil, func(w http.ResponseWriter, r *http.Request) {
		current := session.GetSessionFromRequestContext(r.Context())
		data, err := current.GetSessionDataInDatabase()
		check(err)
		answer(w, object{
			"userId": current.GetUserID(), "tenantId": current.GetTenantId(), "handle": current.GetHandle(),
			"payload": current.GetAccessTokenPayload(), "data": data,
		})
	}))
	mux.HandleFunc("/update", session.VerifySession(nil, func(w http.ResponseWriter, r *http.Request) {
		current := session.GetSessionFromRequestContext(r.Context())
		var body object
		check(json.NewDecoder(r.Body).Decode(&body))
		check(current.UpdateSessionDataInDatabase(body))
		check(current.MergeIntoAccessTokenPayload(body))
		answer(w, current.GetAccessTokenPayload())
	}))
	checkDatabase := true
	mux.HandleFunc("/logout", session.VerifySession(&sessmodels.VerifySessionOptions{CheckDatabase: &checkDatabase},
		func(w http.ResponseWriter, r *http.Request) {
			check(session.GetSessionFromRequestContext(r.Context()).RevokeSession())
			answer(w, object{})
		}))
	mux.HandleFunc("/admin", func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		handles, err := session.GetAllSessionHandlesForUser(user, nil)
		check(err)
		information, err := session.GetSessionInformation(handles[0])
		check(err)
		revoked, err := session.RevokeAllSessionsForUser(user, nil)
		check(err)
		answer(w, object{"handles": handles, "userId": information.UserId, "tenantId": information.TenantId, "revoked": revoked})
	})
	fmt.Println("listening on", origin)
	check(http.Serve(listener, supertokens.Middleware(mux)))
}

func answer(w http.ResponseWriter, value interface{}) {
	w.Header().Set("content-type", "application/json")
	check(json.NewEncoder(w).Encode(value))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
