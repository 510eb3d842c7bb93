//! What support staff do at the terminal, on the database of a demo that has ended.

use crate::program::Demo;

/// Seen to fail: with a next generation that is built to the end of the log, which nobody brings the live rows to.
#[test]
fn the_read_models_of_a_stopped_program_are_verified_and_one_tenants_rows_rebuilt() {
    let demo = Demo::new(None);
    demo.result();
    let mut tenants = Vec::new();
    // Each one leaves events that nothing feeds to the read models before the next one.
    for name in ["audit_entries", "users"] {
        let verified = demo.projections(&["verify", name, "--as", "ops-anna"]).json();
        assert_eq!((&verified["equal"], &verified["exchanged"]), (&true.into(), &false.into()), "{verified}");
        tenants.extend(verified["tenants"].as_array().unwrap().iter().map(|digest| digest["tenant_id"].clone()));
    }
    let tenant = tenants.last().and_then(|tenant| tenant.as_str()).unwrap();
    let of_tenant = ["rebuild", "users", "--as", "ops-anna", "--tenant", tenant];
    let rebuilt = demo.projections(&[of_tenant.as_slice(), &["--reason", "A drill."]].concat()).json();
    assert_eq!((&rebuilt["equal"], &rebuilt["exchanged"]), (&true.into(), &true.into()), "{rebuilt}");

    let listed = demo.projections(&["list"]).json();
    let audit = listed.as_array().unwrap().iter().find(|standing| standing["name"] == "audit_entries").unwrap();
    assert!(audit["behind"].as_u64().unwrap() >= 6, "beginning and end of each are in the log: {listed}");

    let silent = demo.projections(&of_tenant);
    assert_eq!((silent.code, silent.output.as_str()), (Some(2), ""), "{silent:?}");
    assert!(silent.errors.contains("--reason"), "{silent:?}");
    let integration = format!("integration:{tenant}");
    let foreign = demo.projections(&["verify", "integrations", "--as", "ops-anna", "--aggregate", &integration]);
    assert_eq!((foreign.code, foreign.output.as_str()), (Some(1), ""), "{foreign:?}");
    assert!(foreign.errors.contains("aggregate: the rows of integrations") && foreign.errors.contains("--tenant"));
}
