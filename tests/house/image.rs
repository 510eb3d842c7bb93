//! The container image is built from the files that `.dockerignore` lets through, and cargo needs the manifest of every
//! member of the workspace.

use crate::{assert_none, assert_one, repository};

fn faults(manifests: &[String], ignore: &str) -> Vec<String> {
    let let_through: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let members = manifests.iter().filter_map(|path| path.strip_suffix("/Cargo.toml"));
    let missing = members.filter(|member| !let_through.contains(member));
    missing
        .map(|member| format!("`{member}` does not reach the image's build: add `!{member}` to .dockerignore"))
        .collect()
}

#[test]
fn the_image_is_built_from_every_package() {
    assert_none(&faults(&repository::manifests(), &repository::read(".dockerignore")));
}

#[test]
fn a_package_that_is_left_out_is_found() {
    let manifests = ["Cargo.toml", "domain/Cargo.toml", "bench/Cargo.toml"].map(str::to_owned);
    assert_one(&faults(&manifests, "*\n!Cargo.toml\n!domain\n"), &["`bench`", "!bench"]);
}
